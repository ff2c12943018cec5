// The field for a bearer token.

import { type FormEvent, useEffect, useState } from 'react';
import { forgetAllClaims } from '../claims/held';
import { tokenRefused } from '../live/connection';
import { keepToken, token } from '../token';

export function TokenForm() {
  const current = token.use();
  const isRefused = tokenRefused.use();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (isRefused) setOpen(true);
  }, [isRefused]);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    keepToken(String(new FormData(event.currentTarget).get('token')).trim());
    forgetAllClaims(); // they are another viewer's
    tokenRefused.value = false;
    setOpen(false);
  };
  return (
    <div className="token">
      <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {current ? 'Token given' : 'Token'}
      </button>
      {isOpen && (
        <form onSubmit={submit}>
          {isRefused && <p role="alert">The server asks for another token.</p>}
          <label>
            Bearer token
            <input name="token" type="password" autoComplete="off" defaultValue={current} />
          </label>
          <p className="hint">Kept until this tab of the browser is closed. An empty one is forgotten.</p>
          <button type="submit">Use it</button>
        </form>
      )}
    </div>
  );
}

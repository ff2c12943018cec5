// What is drawn a frame after the rest, so that no frame takes long.

import { useEffect, useState } from 'react';

/** The value that `value` was when the last frame was drawn. */
export function useLater<Value>(value: Value): Value {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const frame = requestAnimationFrame(() => setLater(value));
    return () => cancelAnimationFrame(frame);
  }, [value]);
  return later;
}

// The frame around every page, and which page an address leads to.

import { useEffect, useMemo } from 'react';
import { Provider } from 'urql';
import { ExecutionPage } from './execution/ExecutionPage';
import { ExecutionsPage } from './executions/ExecutionsPage';
import { createClient } from './live/client';
import { QueuePage } from './queue/QueuePage';
import { href, type Route, useRoute } from './route';
import { ConnectionNote } from './shell/ConnectionNote';
import { TokenForm } from './shell/TokenForm';
import { TemplatePage } from './templates/TemplatePage';
import { TemplatesPage } from './templates/TemplatesPage';
import { VersionPage } from './templates/VersionPage';
import { token } from './token';

const PLACES = [
  ['executions', 'Executions'],
  ['queue', 'Work queue'],
  ['templates', 'Templates'],
] as const;

export function App() {
  const route = useRoute();
  const [place = 'executions'] = route.path;
  const current = token.use();
  // Another token: another viewer, of whom nothing is shown to this one.
  const client = useMemo(createClient, [current]);
  const address = route.path.join('/');
  useEffect(() => {
    window.scrollTo(0, 0);
  }, [address]);
  return (
    <Provider value={client} key={current}>
      <header className="frame">
        <a className="brand" href="#/">
          Stepgraph
        </a>
        <nav aria-label="Console">
          {PLACES.map(([name, title]) => (
            <a key={name} href={href([name])} aria-current={place === name ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <ConnectionNote />
        <TokenForm />
      </header>
      <main key={address}>
        <Page route={route} />
      </main>
    </Provider>
  );
}

function Page({ route: { path, search } }: { route: Route }) {
  const [place = 'executions', id, inner] = path;
  if (place === 'executions') return id ? <ExecutionPage id={id} search={search} /> : <ExecutionsPage search={search} />;
  if (place === 'queue') return <QueuePage search={search} />;
  if (place === 'templates' && inner) return <VersionPage id={inner} />;
  if (place === 'templates') return id ? <TemplatePage templateKey={id} /> : <TemplatesPage />;
  return <h1>There is no such page</h1>;
}

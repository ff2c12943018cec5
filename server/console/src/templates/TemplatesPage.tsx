// All templates.

import { useQuery } from 'urql';
import { TemplateList } from '../documents';
import { href } from '../route';
import { Problem } from '../shell/Problem';
import { usePageTitle } from '../shell/usePageTitle';

const PAGE = { first: 500 };

export function TemplatesPage() {
  usePageTitle('Templates');
  const [{ data, error }] = useQuery({ query: TemplateList, variables: PAGE });
  const templates = data?.workflowTemplates.nodes;
  return (
    <>
      <h1>Templates</h1>
      {error && <Problem error={error} />}
      {templates?.length === 0 && <p className="empty">There is none.</p>}
      <ul className="cards">
        {templates?.map(({ id, key, name, description, activeVersion }) => (
          <li key={id}>
            <h2>
              <a href={href(['templates', key])}>{name}</a>
            </h2>
            <p>{description}</p>
            <p className="hint">{activeVersion ? `Version ${activeVersion.version} is active` : 'No version is active'}</p>
          </li>
        ))}
      </ul>
    </>
  );
}

// One template: its versions, the graph of the active one, and the form that starts an execution of it.

import { useQuery } from 'urql';
import { TemplateDetail, VersionDetail } from '../documents';
import { StepGraph } from '../graph/StepGraph';
import { href } from '../route';
import { Moment } from '../shell/Moment';
import { Problem } from '../shell/Problem';
import { Status } from '../shell/Status';
import { usePageTitle } from '../shell/usePageTitle';
import { StartForm } from './StartForm';

export function TemplatePage({ templateKey }: { templateKey: string }) {
  const [{ data, error }] = useQuery({ query: TemplateDetail, variables: { key: templateKey, first: 100 } });
  const template = data?.workflowTemplate;
  const active = template?.activeVersion;
  const [version] = useQuery({ query: VersionDetail, variables: { id: active?.id ?? '' }, pause: !active });
  const definition = version.data?.workflowTemplateVersion;
  usePageTitle(template?.name ?? templateKey);
  return (
    <>
      <nav aria-label="Breadcrumb" className="breadcrumb">
        <a href={href(['templates'])}>Templates</a>
      </nav>
      <h1>{template?.name ?? templateKey}</h1>
      {error && <Problem error={error} />}
      {data && !template && <p className="empty">There is no such template.</p>}
      <p>{template?.description}</p>
      {template && (
        <section aria-labelledby="versions-title">
          <h2 id="versions-title">Versions</h2>
          <ul className="versions">
            {template.versions.nodes.map(({ id, version: number, status, versionNote, publishedAt }) => (
              <li key={id}>
                <a href={href(['templates', templateKey, id])}>{number}</a> <Status status={status} />{' '}
                {id === active?.id && <strong>active</strong>} {versionNote}{' '}
                {publishedAt && (
                  <span className="hint">
                    published <Moment at={publishedAt} />
                  </span>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      {definition && <StepGraph definition={definition} />}
      {definition && <StartForm templateKey={templateKey} definition={definition.definition} />}
    </>
  );
}

// One version of a template: its graph, and its definition as it was written.

import { useQuery } from 'urql';
import { VersionDetail } from '../documents';
import { StepGraph } from '../graph/StepGraph';
import { href } from '../route';
import { JSONText } from '../shell/JSONText';
import { Problem } from '../shell/Problem';
import { Status } from '../shell/Status';
import { usePageTitle } from '../shell/usePageTitle';

export function VersionPage({ id }: { id: string }) {
  const [{ data, error }] = useQuery({ query: VersionDetail, variables: { id } });
  const version = data?.workflowTemplateVersion;
  const title = version ? `${version.workflowTemplate.name} ${version.version}` : 'Version';
  usePageTitle(title);
  return (
    <>
      <nav aria-label="Breadcrumb" className="breadcrumb">
        <a href={href(['templates'])}>Templates</a>
        {version && (
          <>
            {' / '}
            <a href={href(['templates', version.workflowTemplate.key])}>{version.workflowTemplate.name}</a>
          </>
        )}
      </nav>
      <h1>{title}</h1>
      {error && <Problem error={error} />}
      {data && !version && <p className="empty">There is no such version.</p>}
      {version && (
        <>
          <p>
            <Status status={version.status} /> {version.versionNote}
          </p>
          {version.steps.length > 0 && <StepGraph definition={version} />}
          <h2>Definition</h2>
          <JSONText label="Definition" value={version.definition} />
        </>
      )}
    </>
  );
}

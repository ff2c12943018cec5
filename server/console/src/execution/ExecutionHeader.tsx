// What an execution is and how it stands.

import type { ExecutionViewFragment } from '../generated/graphql';
import { href } from '../route';
import { Moment } from '../shell/Moment';
import { doneOf } from '../shell/progress';
import { Status } from '../shell/Status';

export function ExecutionHeader({ execution }: { execution: ExecutionViewFragment }) {
  const { workflowTemplateVersion: version, parentWorkflowExecution: parent, progress } = execution;
  const ended = execution.completedAt ?? execution.failedAt ?? execution.cancelledAt;
  return (
    <header>
      <nav aria-label="Breadcrumb" className="breadcrumb">
        <a href={href(['executions'])}>Executions</a>
        {parent && (
          <>
            {' / '}
            <a href={href(['executions', parent.id], { step: execution.parentStep?.stepId })}>{parent.name}</a>
          </>
        )}
      </nav>
      <h1>{execution.name}</h1>
      <dl className="facts">
        <Fact name="Status">
          <Status status={execution.runtimeStatus} />
        </Fact>
        <Fact name="Steps done">
          <progress max={progress.total} value={doneOf(progress)} aria-label="Steps done" />{' '}
          {doneOf(progress)} of {progress.total}
        </Fact>
        <Fact name="Template">
          <a href={href(['templates', version.workflowTemplate.key, version.id])}>
            {version.workflowTemplate.name} {version.version}
          </a>
        </Fact>
        <Fact name="Created">
          <Moment at={execution.createdAt} />
        </Fact>
        {execution.startedAt && (
          <Fact name="Started">
            <Moment at={execution.startedAt} />
          </Fact>
        )}
        {ended && (
          <Fact name="Ended">
            <Moment at={ended} />
          </Fact>
        )}
        {execution.correlationId !== execution.id && <Fact name="Correlation id">{execution.correlationId}</Fact>}
        {execution.reason && <Fact name="Reason">{execution.reason}</Fact>}
      </dl>
      {execution.failure && (
        <p className="problem">
          {execution.failure.code}: {execution.failure.message}
        </p>
      )}
    </header>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

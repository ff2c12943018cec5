// The filters of the list; each stands in the address.

import { useQuery } from 'urql';
import { TemplateList } from '../documents';
import { amend } from '../route';
import { wordsOf } from '../shell/Status';
import { STATUSES } from './filter';

const TEMPLATES = { first: 500 };

export function ExecutionFilters({ search }: { search: URLSearchParams }) {
  const [{ data }] = useQuery({ query: TemplateList, variables: TEMPLATES });
  const field = (name: string) => ({
    name,
    value: search.get(name) ?? '',
    onChange: ({ target }: { target: { value: string } }) => amend({ [name]: target.value, after: '' }),
  });
  return (
    <form role="search" aria-label="Executions" className="filters" onSubmit={(event) => event.preventDefault()}>
      <label>
        Status
        <select {...field('status')}>
          <option value="">Any</option>
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {wordsOf(status)}
            </option>
          ))}
        </select>
      </label>
      <label>
        Template
        <select {...field('template')}>
          <option value="">Any</option>
          {data?.workflowTemplates.nodes.map(({ key, name }) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Name contains
        <input type="search" {...field('name')} />
      </label>
      <label>
        Created since
        <input type="datetime-local" {...field('since')} />
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={search.has('children')}
          onChange={({ target }) => amend({ children: target.checked ? 1 : '', after: '' })}
        />
        With children
      </label>
    </form>
  );
}

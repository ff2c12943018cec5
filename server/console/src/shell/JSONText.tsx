// A JSON value as text.

export function JSONText({ label, value }: { label: string; value: unknown }) {
  return (
    <pre className="code" role="region" aria-label={label} tabIndex={0}>
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}

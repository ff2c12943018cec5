// What a form can show of a JSON Schema. What it cannot show is written as JSON; the server says what does not fit.

export type Schema = Record<string, unknown>;
export type Kind = 'object' | 'text' | 'number' | 'boolean' | 'choice' | 'lines' | 'json';

export function kindOf(schema: Schema): Kind {
  if (Array.isArray(schema.enum)) return 'choice';
  if (schema.type === 'string') return 'text';
  if (schema.type === 'number' || schema.type === 'integer') return 'number';
  if (schema.type === 'boolean') return 'boolean';
  if (schema.type === 'object' && Object.keys(propertiesOf(schema)).length > 0) return 'object';
  if (schema.type === 'array' && (schema.items as Schema | undefined)?.type === 'string') return 'lines';
  return 'json';
}

export function propertiesOf(schema: Schema): Record<string, Schema> {
  return (schema.properties ?? {}) as Record<string, Schema>;
}

export function isRequired(schema: Schema, name: string): boolean {
  return Array.isArray(schema.required) && schema.required.includes(name);
}

/** What a form begins with: where JSON is written and something is needed, the shape of it. */
export function initialOf(schema: Schema | null | undefined): Record<string, unknown> {
  const initial: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(propertiesOf(schema ?? {}))) {
    if (!isRequired(schema!, name)) continue;
    if (kindOf(inner) === 'object') initial[name] = initialOf(inner);
    if (kindOf(inner) === 'json') initial[name] = skeletonOf(inner);
  }
  return initial;
}

function skeletonOf(schema: Schema): unknown {
  switch (kindOf(schema)) {
    case 'choice':
      return (schema.enum as unknown[])[0];
    case 'object':
      return Object.fromEntries(Object.entries(propertiesOf(schema)).map(([name, inner]) => [name, skeletonOf(inner)]));
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'text':
      return '';
    case 'lines':
      return [];
    case 'json':
      return schema.type === 'array' ? (schema.items ? [skeletonOf(schema.items as Schema)] : []) : {};
  }
}

// What has not changed stays the same object, so that nothing that shows it is drawn again.

type Fields = Record<string, unknown>;

/** A JSON value equal to `after`, made of the objects and lists of `before` wherever they are equal; uses up `after`. */
export function share<Value>(before: unknown, after: Value): Value {
  return isObject(before) && isObject(after) ? (shareFields(before, after) as Value) : after;
}

function shareFields(before: Fields, after: Fields): Fields {
  if (Array.isArray(before) !== Array.isArray(after)) return after;
  const names = Object.keys(after);
  let isEqual = names.length === Object.keys(before).length;
  for (const name of names) {
    after[name] = share(before[name], after[name]);
    isEqual &&= name in before && before[name] === after[name];
  }
  return isEqual ? before : after;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

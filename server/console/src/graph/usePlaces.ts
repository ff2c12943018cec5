// The places of a definition's steps, once they are known.

import { useEffect, useMemo, useState } from 'react';
import { type Definition, type Direction, givenPlaces, type Layout, type Places } from './places';

interface Found {
  layout: Layout;
  places: Places;
}

/** The places that the definition gives, else those that a worker finds; nothing while it looks for them. */
export function usePlaces(definition: Definition, direction: Direction): Places | undefined {
  const given = useMemo(() => givenPlaces(definition), [definition]);
  const layout = useMemo(() => layoutOf(definition, direction), [definition, direction]);
  const [found, setFound] = useState<Found>();
  useEffect(() => {
    if (given) return;
    const worker = new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Places>) => setFound({ layout, places: data });
    worker.postMessage(layout);
    return () => worker.terminate();
  }, [given, layout]);
  return given ?? (found?.layout === layout ? found.places : undefined);
}

function layoutOf({ steps, transitions }: Definition, direction: Direction): Layout {
  return {
    direction,
    steps: steps.map(({ stepId }) => stepId),
    ways: transitions.map(({ from, to }) => [from.stepId, to.stepId]),
  };
}

// A value outside of React that components follow.

import { useSyncExternalStore } from 'react';

export class External<Value> {
  private readonly listeners = new Set<() => void>();

  constructor(private current: Value) {}

  get value(): Value {
    return this.current;
  }

  set value(value: Value) {
    if (value === this.current) return;
    this.current = value;
    this.listeners.forEach((listener) => listener());
  }

  private readonly listen = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The value now and after every change. */
  use(): Value {
    return useSyncExternalStore(this.listen, () => this.current);
  }

  /** A part of the value; a change of another part draws nothing again. */
  usePart<Part>(part: (value: Value) => Part): Part {
    return useSyncExternalStore(this.listen, () => part(this.current));
  }
}

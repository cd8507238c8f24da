/** A list of listeners for one kind of value. A listener that throws does not stop the others. */
export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** Returns a function that removes the listener. */
  on(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(value);
      } catch (error) {
        // Reported as an uncaught error would be, without stopping the connection that emitted the value.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

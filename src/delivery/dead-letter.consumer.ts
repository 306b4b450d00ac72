/** Messages no consumer could handle, after all their retries: said aloud, never silently dropped. */
export function consumeUndeliverable(batch: MessageBatch): void {
  for (const { id, attempts, body } of batch.messages)
    console.error(
      JSON.stringify({ at: "dead-letter", id, attempts, bytes: JSON.stringify(body).length }),
    );
  batch.ackAll();
}

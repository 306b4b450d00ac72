/** Logs the messages that no consumer could handle in all their tries. Streams and schedule bring their work again. */
export function consumeUndeliverable(batch: MessageBatch): void {
  for (const { id, attempts, body } of batch.messages)
    console.error(
      JSON.stringify({ at: "dead-letter", id, attempts, bytes: JSON.stringify(body).length }),
    );
  batch.ackAll();
}

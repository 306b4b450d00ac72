const LOOK_AGAIN_SECONDS = 60;

/**
 * Logs the messages that no consumer could handle in all their tries. Streams and schedule bring their work again. Messages
 * of a queue that isn't ours, and that nobody said is to be published from, come again.
 */
export function consumeUndeliverable(batch: MessageBatch): void {
  const { queue, messages } = batch;
  if (!queue.startsWith("tributary-")) {
    const error = "PUBLISH_QUEUES doesn't say which organization publishes what it brings";
    console.error(JSON.stringify({ at: "publish", queue, error }));
    batch.retryAll({ delaySeconds: LOOK_AGAIN_SECONDS });
    return;
  }
  for (const { id, attempts, body } of messages)
    console.error(
      JSON.stringify({ at: "dead-letter", id, attempts, bytes: JSON.stringify(body).length }),
    );
  batch.ackAll();
}

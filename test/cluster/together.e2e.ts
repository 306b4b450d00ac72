// What one cluster shows whose isolates are restarted only where a test says so, in this order: what counts all use comes first,
// then what ticks nothing, while isolates that are left alone write down what they counted.
import "./reads.ts";
import "./caches.ts";
import "./usage.ts";
import "./polls.ts";

// What one cluster shows whose isolates are restarted only where a test says so, in this order: what counts all use comes first.
import "./reads.ts";
import "./usage.ts";
import "./polls.ts";
import "./caches.ts";

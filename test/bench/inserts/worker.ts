/** The least that can be done for a resource: its row, with its indexes, and nothing else. */
export default {
  async fetch(request, env) {
    if (request.method !== "POST") return new Response("inserts");
    const { name, title } = await request.json<{ name: string; title: string }>();
    const content = JSON.stringify({
      attributes: {},
      tags: [],
      finalizers: [],
      spec: {},
      sub: {},
      references: [],
      deletedReferences: [],
      scopeId: "0".repeat(32),
    });
    const id = crypto.randomUUID().replaceAll("-", "");
    const now = Date.now();
    await env.DB.prepare(
      `INSERT INTO resources (organization_id, kind, scope, name, id, title, version, state, seq,
         created_at, created_by, modified_at, modified_by, content)
       VALUES (1, 'APIService', 'Environment/plain', ?1, ?2, ?3, 0, NULL, ?4, ?4, '1', ?4, '1', ?5)`,
    )
      .bind(name, id, title, now, content)
      .run();
    return Response.json({ name, title, metadata: { id } }, { status: 201 });
  },
} satisfies ExportedHandler<{ DB: D1Database }>;

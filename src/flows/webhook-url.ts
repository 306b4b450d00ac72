/** The address that starts a run when it is called: whoever knows it may call it. */
export const webhookUrl = (base: string, flowId: string, componentId: string): string =>
  `${base}/flows/${flowId}/components/${encodeURIComponent(componentId)}`;

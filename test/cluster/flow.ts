/** A flow that posts the data of each event of this name to a URL. */
export const flowOf = (event: string, url: string) => ({
  T: {
    type: "appmixer.utils.appevents.OnAppEvent",
    source: {},
    config: { properties: { event } },
  },
  P: {
    type: "appmixer.utils.http.Post",
    source: { in: { T: ["out"] } },
    config: { transform: { in: { T: { out: { lambda: { url, body: "{{{$.T.out.data}}}" } } } } } },
  },
});

/** Choices of a form beside which only their own controls are shown. */
const CHOICES = [
  "apiKey",
  "basic",
  "bearer",
  "oauth2",
  "mtls",
  "webhook",
  "polling,webhook",
  "page",
  "offset",
  "cursor",
  "nextUrl",
  "linkHeader",
];

/** The colours of each scheme. */
export const LIGHT = `--ink:#1d2a2f;--quiet:#5a6a70;--line:#e3e8e8;--back:#f5f7f6;--card:#fff;--accent:#0b7a75;--on:#fff;
--good:#157347;--good-back:#e3f4ea;--bad:#b3261e;--bad-back:#fbe9e7;--wait:#8a5a00;--wait-back:#fdf1d9;--off-back:#edf0f0`;
export const DARK = `--ink:#e4ecec;--quiet:#93a5a9;--line:#2a3638;--back:#121a1c;--card:#1a2426;--accent:#4fc3bb;--on:#0b1a1a;
--good:#6fd39b;--good-back:#173526;--bad:#ff9b92;--bad-back:#401d1a;--wait:#f0c36a;--wait-back:#3a2d10;--off-back:#263234`;

/** The console's one stylesheet. */
export const STYLE = `
:root{${LIGHT}}
@media(prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}[hidden]{display:none!important}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
a{color:var(--accent);text-decoration:none}a:hover,:is(p,dd) a:not(.button){text-decoration:underline}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
header{display:flex;flex-wrap:wrap;align-items:center;gap:4px 16px;padding:10px max(20px,calc(50vw - 640px));background:var(--card);border-bottom:1px solid var(--line)}
.brand{display:flex;align-items:center;gap:8px;font-weight:650;font-size:17px;color:var(--ink)}.brand:hover{text-decoration:none}
.brand img{height:28px;max-width:160px;object-fit:contain}.mark{fill:none;stroke:var(--accent);stroke-width:2.4;stroke-linecap:round}
nav{display:flex;font-size:14px}nav a{padding:6px 7px;border-radius:8px;color:var(--quiet)}
nav a[aria-current]{background:var(--off-back);color:var(--ink);font-weight:550}
.who{margin-left:auto;display:flex;align-items:center;gap:12px;color:var(--quiet)}
main{max-width:1160px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:24px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:16px;margin:32px 0 10px}
.head{display:flex;flex-wrap:wrap;gap:12px 24px;align-items:flex-start;justify-content:space-between;margin-bottom:20px}
.head>div{min-width:0}.head p{margin:0;overflow-wrap:anywhere}.acts{display:flex;flex-wrap:wrap;gap:8px;align-items:center}.acts form{display:flex;gap:6px}
.quiet{color:var(--quiet)}.small{font-size:13px}.num{font-variant-numeric:tabular-nums}
button,select,input{font:inherit;color:inherit}
button,.button{padding:7px 14px;border:1px solid var(--line);border-radius:8px;background:var(--card);cursor:pointer}
.button{color:var(--ink);white-space:nowrap}.button:hover{text-decoration:none}
button:hover,.button:hover{border-color:var(--quiet)}button.main,.button.main{background:var(--accent);border-color:var(--accent);color:var(--on);font-weight:550}
button.plain{border:0;background:none;padding:4px;color:var(--accent)}
select,input{padding:7px 10px;border:1px solid var(--line);border-radius:8px;background:var(--card)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:12px}
.card,.empty{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px}
.card b{display:block;font-size:24px;font-weight:620;line-height:1.25;color:var(--ink)}.card b.alarm{color:var(--bad)}a:has(>.card):hover{text-decoration:none}a:hover>.card{border-color:var(--quiet)}.card span{color:var(--quiet)}
.card .foot{margin-top:8px}.card .foot a{color:var(--accent)}
.bars{display:block;width:100%;height:36px}.bars.tall{height:120px}.axis{display:flex;justify-content:space-between;margin:6px 0 0}.card .axis span{color:var(--quiet)}.bars rect{fill:var(--accent)}.bars.delivered rect{fill:var(--good)}.bars.failed rect{fill:var(--bad)}.bars rect.none,.bars.delivered rect.none,.bars.failed rect.none{fill:var(--line)}
.ranges{display:flex;list-style:none;margin:0;padding:3px;border:1px solid var(--line);border-radius:10px;background:var(--card)}.ranges a{display:block;padding:4px 12px;border-radius:7px;color:var(--quiet)}.ranges a[aria-current]{background:var(--off-back);color:var(--ink);font-weight:550}
h3{font-size:14px;font-weight:500;margin:18px 0 8px}.mend{display:flex;flex-wrap:wrap;gap:8px 24px;align-items:center;justify-content:space-between}.mend>div:first-child{flex:1;min-width:min(100%,320px)}
table{width:100%;border-collapse:separate;border-spacing:0;background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:hidden}
th{text-align:left;font-weight:500;font-size:13px;color:var(--quiet);padding:10px 16px;border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:11px 16px;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}tr:last-child td{border-bottom:0}
.pill{display:inline-block;padding:1px 10px;border-radius:99px;font-size:13px;font-weight:550;white-space:nowrap;background:var(--off-back);color:var(--quiet)}
.pill.good{background:var(--good-back);color:var(--good)}.pill.bad{background:var(--bad-back);color:var(--bad)}.pill.wait{background:var(--wait-back);color:var(--wait)}
.attention{list-style:none;margin:0;padding:4px 16px;background:var(--card);border:1px solid var(--line);border-radius:12px}.attention li{padding:10px 0;overflow-wrap:anywhere}.attention li+li{border-top:1px solid var(--line)}.attention .event{margin-top:4px}
.event{display:block}.event b{font-weight:550}
.notice{padding:10px 16px;border-radius:10px;margin:0 0 20px;overflow-wrap:anywhere}.notice.good{background:var(--good-back);color:var(--good)}.notice.bad{background:var(--bad-back);color:var(--bad)}
pre,code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{margin:0;padding:14px 16px;background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:auto;max-height:640px;white-space:pre-wrap;overflow-wrap:anywhere}
.empty{padding:24px}.empty h1{font-size:18px}.empty p{margin:0 0 14px;color:var(--quiet)}.empty p.title{margin:0 0 4px;font-size:16px;color:var(--ink)}.empty pre{background:var(--back)}.empty form{margin-top:14px}
dl{display:grid;grid-template-columns:minmax(160px,max-content) 1fr;gap:6px 24px;margin:0;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
details summary{cursor:pointer;color:var(--accent)}details pre{margin-top:8px}
.invite{display:flex;flex-wrap:wrap;gap:12px;align-items:flex-end}.invite label{display:grid;gap:4px;font-size:14px}
.manage{margin-top:8px}.link p{margin:0 0 8px}.link pre{color:var(--ink);user-select:all}td b{font-weight:550}
.filters{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:12px;align-items:end;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px;margin-bottom:16px}
.filters label{display:grid;gap:4px;font-size:14px;align-self:start}.filters :is(label,.field)>*{min-width:0;width:100%}.filters .field{align-self:start}.fault{color:var(--bad);font-size:13px;overflow-wrap:anywhere}[aria-invalid]{border-color:var(--bad)}
.liveline{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;margin:0 0 12px}.liveline p{margin:0;flex:1 1 320px}
tr.new td{animation:new 2s}@keyframes new{from{background:var(--good-back)}}@media(prefers-reduced-motion:reduce){tr.new td{animation:none}}
.outcome+.outcome{margin-top:4px}.one{margin-bottom:24px}.one h3{font-size:15px;margin:0 0 8px;overflow-wrap:anywhere}.one>*+*{margin-top:10px}
.copyable{position:relative}.copyable .copy{position:absolute;top:8px;right:8px;padding:2px 10px;font-size:13px}.copyable pre{padding-right:80px}
.again{margin:0 0 16px}.again form{margin-top:10px}
.places{flex-wrap:wrap;width:fit-content;margin-bottom:20px}.settings{display:grid;gap:18px;max-width:640px;justify-items:start}.settings .field{width:100%}.settings .field p{margin:4px 0 0}
.settings .field label{display:grid;gap:4px;font-weight:500}.settings .field input{width:100%}.settings fieldset{display:block;border:0;margin:0;padding:0}.settings legend{font-weight:500;padding:0}.card .choice b{display:inline;font-size:inherit}.choice{display:flex;gap:8px;align-items:baseline;margin-top:6px}
.more{margin:14px 0}.stack>*+*{margin-top:12px}
.sign-in{max-width:380px;margin:8vh auto 0;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:28px}
.sign-in p{margin:0 0 18px}.sign-in h2{margin:0 0 12px}.sign-in label{display:block;margin-bottom:14px;font-size:14px;font-weight:500}.sign-in .field{margin-bottom:14px}.sign-in .field>:is(label,input){margin:0}.sign-in input{display:block;width:100%;margin-top:4px;padding:9px 12px}.sign-in button{width:100%;padding:9px}
.sign-in button.second{margin-top:8px}.sign-in .button{display:block;text-align:center}.sign-in .other{margin-top:10px}.sign-in .after{margin:16px 0 0;text-align:center}.sign-in .qr{margin:0 0 18px}
.qr{background:#fff;border-radius:12px;padding:8px;width:216px;max-width:100%}.qr svg{display:block;width:100%}
.codes{columns:2;font:16px/2 ui-monospace,monospace;list-style:none;margin:0 0 18px;padding:0}
.instance{display:grid;gap:16px;max-width:860px}.instance fieldset{display:block;border:1px solid var(--line);border-radius:12px;padding:12px 16px;margin:0 0 14px;min-width:0;font-size:15px}.instance>fieldset.plain{border:0;padding:0;margin:0;display:grid;gap:16px}.instance legend{padding:0 6px;font-weight:550}
.part h2{margin:0 0 12px}.part h3{font-size:15px;margin:18px 0 10px}.part>summary{font-weight:550}.part>summary+*{margin-top:14px}
.instance .field{margin:0 0 14px;align-content:start}.instance .card b,.instance .check b{display:inline;font-size:inherit;font-weight:550}.instance h3{font-weight:600;color:var(--ink)}.instance .field>label{font-weight:550;font-size:14px}.instance .field :is(input,select){width:100%}
.check{display:flex;gap:8px;align-items:baseline;margin:6px 0}.instance .field>.check{font-weight:400}.instance .check input{width:auto;flex:none}
.fault{overflow-wrap:anywhere}.notice ul{margin:6px 0 0;padding-left:20px}.notice p{margin:0}
.fields{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:0 16px;margin-top:12px}.fields>:first-child{grid-column:1/-1}
.form .fields{gap:14px 16px;margin-top:0}details>.fields{padding-top:12px}.fields.even>:first-child{grid-column:auto}.form .fields>.field{align-content:start;overflow-wrap:anywhere}
.resource{margin:10px 0;padding:8px 14px}.resource b{display:inline;font-size:inherit;font-weight:550}.preview{margin-top:8px;overflow-wrap:anywhere}.preview p{margin:4px 0}
.choices b{display:inline;font-size:inherit;font-weight:550}.steps{margin:0 0 14px;padding-left:20px;color:var(--quiet)}.steps code,dd code,.preview code{overflow-wrap:anywhere}.steps li{margin:2px 0}
dl.flat{border:0;padding:0;margin:0 0 14px;grid-template-columns:1fr;gap:0}dl.flat dd{margin-bottom:8px}
.gallery{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(280px,1fr));gap:12px}.gallery h2{margin:0 0 2px;font-size:16px}.gallery p{margin:6px 0 0}.card span.pill{color:var(--quiet)}.card span.pill.good{color:var(--good)}.card span.fault{color:var(--bad)}
.card h2{margin:0 0 8px}.card ul{margin:0 0 16px;padding-left:20px}.unseen{position:absolute;left:-9999px}
.form-hears:not(:has([data-choice=webhook]:checked,[data-choice=both]:checked)) .form-webhooks,.form-hears:not(:has([data-choice=polling]:checked,[data-choice=both]:checked)) .form-polls{display:none}
.ways{display:grid;gap:12px;max-width:760px}.ways .card{display:flex;flex-wrap:wrap;gap:12px 24px;align-items:center;justify-content:space-between}
.ways .card>div:first-child{flex:1;min-width:min(100%,320px)}.ways h2{margin:0 0 2px}.ways p{margin:0}
.form{display:grid;gap:14px;margin:10px 0;max-width:640px;padding:18px}.form.wide{max-width:none}details .form.wide:not(.card){padding:14px 0 8px}.form>button{justify-self:start}.form>.notice{margin:0}
.field{display:grid;gap:4px;min-width:0;grid-template-columns:minmax(0,1fr)}.field>label{font-size:14px;font-weight:500}.field textarea{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;resize:vertical}
textarea{width:100%;padding:8px 10px;border:1px solid var(--line);border-radius:8px;background:var(--card);color:inherit}[aria-invalid]{border-color:var(--bad)}
.fault{color:var(--bad);margin:0}fieldset{border:0;margin:0;padding:0;min-width:0;display:flex;flex-wrap:wrap;gap:4px 18px;font-size:14px}legend{padding:0;margin-bottom:4px;font-weight:500}
.find{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:end;margin-bottom:16px}.find>label{align-self:center}.find .field{min-width:0}
.card summary b{display:inline;font-size:inherit;font-weight:550}:is(table,pre,.stack)+details,.empty+details,.form+details,p+details{margin-top:12px}.empty>p:last-child{margin:0}::placeholder{color:var(--quiet);opacity:1}
.notice ul{margin:4px 0 0;padding-left:20px}details.card>form:not(.form){margin-top:4px}.variables ul{list-style:none;margin:8px 0 0;padding:0;display:grid;gap:6px}.variables button{padding:1px 8px;font-size:13px}.variables code{user-select:all;overflow-wrap:anywhere}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:12px}.pair input{min-width:0;width:100%}.card .form{padding:12px 0 0}
.diagram{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px}.diagram svg{display:block;margin:0 auto}
.diagram rect{fill:var(--back);stroke:var(--line);stroke-width:1.5}.diagram .trigger rect{stroke:var(--accent)}.diagram text{fill:var(--ink);font-size:14px}.diagram .name{font-weight:550}.diagram .does{fill:var(--quiet);font-size:12.5px}
.diagram .line path{fill:none;stroke:var(--quiet);stroke-width:1.5}.diagram .line .tip{fill:var(--quiet);stroke:none}.diagram .error path{stroke:var(--bad);stroke-dasharray:5 4}.diagram .error .tip{fill:var(--bad)}
.sides{display:grid;gap:24px;grid-template-columns:minmax(0,1fr)}.editor .stack>fieldset~fieldset{margin-top:20px}#result{margin-top:16px}#result .notice{margin:0}.card.stack>p:first-child{margin-top:0}.date{white-space:nowrap;font-size:13px}
.editor fieldset{padding:16px;border:1px solid var(--line);border-radius:12px;background:var(--card);display:grid;gap:12px;min-width:0}.editor legend{padding:0 6px;font-weight:550}
.editor .field{font-size:14px;min-width:0}label.field>span{font-weight:500}.editor .field :is(input,select){width:100%}.notice a{color:inherit;text-decoration:underline}
.row{border:1px solid var(--line);border-radius:8px;padding:8px 12px}.row>.field{margin-top:10px}.row summary{font-weight:500}
.offers{display:flex;flex-wrap:wrap;gap:6px}.offers button{padding:2px 10px;font:13px/1.5 ui-monospace,monospace}
.members dl{display:block;padding:0 12px;border:0;margin-top:8px;max-height:480px;overflow:auto}.members dd{margin:0 0 10px;font-size:14px}
.when:not(:has([aria-invalid])){display:none}
${CHOICES.map((choice) => `:is(fieldset,.row,.fields):has(>.field>select>option[value="${choice}"]:checked)>.when-${choice.replace(",", "-")}`).join()}{display:grid}
@media(min-width:1000px){.sides{grid-template-columns:minmax(0,1fr) minmax(0,1fr);align-items:start}.document{position:sticky;top:16px}.document textarea{height:calc(100vh - 220px)}}
@media(min-width:641px){td{min-width:min(100px,12vw)}td :is(time,button){white-space:nowrap}}
@media(max-width:640px){
.filters{grid-template-columns:1fr 1fr}.filters :is(label,.field):has([type=datetime-local]),.filters .acts{grid-column:1/-1}
header{padding:10px 16px}nav{order:3;width:100%;margin:0 -8px;flex-wrap:wrap}main{padding:18px 16px 48px}h1{font-size:21px}
.cards{grid-template-columns:1fr 1fr;gap:8px}.card{padding:12px}.card b{font-size:20px}.bars{height:26px}.card>span{font-size:13px}
thead{display:none}table,tbody,tr,td{display:block;width:100%}tr{padding:10px 0;border-bottom:1px solid var(--line)}tr:last-child{border:0}
td{border:0;padding:3px 16px;display:flex;gap:12px;justify-content:space-between;text-align:right}td>*{min-width:0}
.invite label,.invite label>*,.invite button{flex:1 1 100%;width:100%}.manage,.manage form{flex:1 1 100%}.manage form>button{flex:1}
td::before{content:attr(data-label);color:var(--quiet);font-size:13px;flex:none;text-align:left}td[data-label=""]::before{display:none}td:has(.changes){display:block;text-align:left}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:10px}td details{text-align:left;flex:1}}
`;

/** Reloads the page now and then, unless somebody is typing or selecting. The page works without it. */
export const REFRESH = `
setInterval(() => {
  const busy = document.hidden || document.querySelector("details[open]") ||
    document.activeElement?.matches("input,select,button") || String(getSelection());
  if (!busy) location.reload();
}, 10000);
`;

/** Shows the buttons that copy a text, which browsers allow only where pages are safe from being read on the way. */
export const COPY = `
if (navigator.clipboard) for (const button of document.querySelectorAll(".copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector("pre").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
`;

/** Shows the buttons that write what is offered onto a line of their field. */
export const OFFERS = `
for (const offers of document.querySelectorAll("[data-offers]")) {
  const field = document.getElementById(offers.dataset.offers);
  offers.hidden = false;
  for (const button of offers.children) button.addEventListener("click", () => {
    const lines = field.value.split("\\n").filter((line) => line && line !== "*");
    field.value = [...new Set([...lines, button.textContent])].join("\\n");
  });
}
`;

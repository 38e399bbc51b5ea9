#include "ops/dashboard_style.hpp"

namespace millrace::ops {

// Each colour of text stands out from its ground by 4.5 to 1 and more (WCAG 2.1, 1.4.3).
const std::string_view dashboard_style = R"(:root {
  color-scheme: light dark;
  --ground: #fff; --text: #1b1f24; --faint: #57606a; --line: #d0d7de; --link: #0b57d0;
  --good: #1a6b34; --warning: #7a4f00; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --text: #e6e8ea; --faint: #a8b0b8; --line: #3a4149; --link: #8ab4f8;
    --good: #7ddc9a; --warning: #ffcf70; --bad: #ffb4ab;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 0 1rem 2rem; background: var(--ground); color: var(--text);
       font: 1rem/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .5rem; padding: .75rem 0;
         border-bottom: 1px solid var(--line); }
nav a { margin-right: 1rem; }
a { color: var(--link); }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: bold; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-weight: normal; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.error, pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.error { min-width: 14rem; }
pre { margin: 0; font-size: .9rem; }
.good { color: var(--good); }
.warning { color: var(--warning); }
.bad { color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dt { color: var(--faint); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.actions { display: flex; flex-wrap: wrap; align-items: start; gap: 1rem; margin: 1rem 0; }
.login { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; }
button, input, summary { font: inherit; padding: .3rem .8rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 30rem) {
  body { padding: 0 .6rem 2rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
}
)";

}  // namespace millrace::ops

// Forms work without this script. With it, formsets get a button for another row, and
// inputs for keys suggest rows while one types.

for (const set of document.querySelectorAll("[data-formset]")) {
  const prefix = set.dataset.formset;
  const total = set.querySelector(`[name="${prefix}-TOTAL_FORMS"]`);
  const template = set.querySelector(":scope > template");
  const button = set.querySelector(":scope > button.add");
  if (!total || !template || !button) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    const index = Number(total.value);
    const holder = document.createElement("div");
    holder.innerHTML = template.innerHTML.replaceAll("__prefix__", String(index));
    const legend = holder.querySelector("legend");
    if (legend) legend.textContent += ` ${index + 1}`;
    const input = holder.querySelector("input:not([type=hidden]), select, textarea");
    template.before(...holder.childNodes);
    total.value = String(index + 1);
    if (input) input.focus();
  });
}

let waiting;
document.addEventListener("input", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !input.dataset.suggest) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => suggest(input), 200);
});

async function suggest(input) {
  const before = input.value.includes(",") ? input.value.slice(0, input.value.lastIndexOf(",") + 1) : "";
  const text = input.value.slice(before.length).trim();
  const url = new URL(input.dataset.suggest, location.href);
  url.searchParams.set("q", text);
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const options = (await answer.json()).map(({ value, label }) => {
    const option = document.createElement("option");
    option.value = before ? `${before} ${value}` : value;
    option.textContent = label;
    return option;
  });
  input.list?.replaceChildren(...options);
}

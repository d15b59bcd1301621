// Search boxes offer how a query may go on. The list itself is the browser's own.

const PAUSE = 120;

function offer(list, queries) {
  list.replaceChildren(...queries.map((query) => {
    const option = document.createElement("option");
    option.value = query;
    return option;
  }));
}

function watch(box) {
  const list = document.getElementById(box.getAttribute("list"));
  let timer = 0;
  let asked = null;
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const address = new URL(box.dataset.suggest, location.href);
    address.searchParams.set("text", box.value);
    try {
      const response = await fetch(address, { signal: asked.signal });
      if (response.ok) offer(list, await response.json());
    } catch {
      // Written on meanwhile, or the server is away: the next letter asks again.
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  };
  box.addEventListener("input", soon);
  box.addEventListener("focus", soon, { once: true });
  if (document.activeElement === box) soon(); // somebody was quicker than this script
}

export function startSuggestions() {
  for (const box of document.querySelectorAll("input[data-suggest]")) watch(box);
}

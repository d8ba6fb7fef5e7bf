// Makes the console's pages nicer; each of them works without it.

// Buttons that copy what stands beside them.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

// Questions before something that cannot be taken back open over the page instead of in its place.
for (const link of document.querySelectorAll("a[data-confirm]")) {
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href, { redirect: "error" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const question = page.querySelector(".confirm");
      if (!answer.ok || !question) throw new Error("no question");
      const dialog = document.createElement("dialog");
      dialog.setAttribute("aria-labelledby", "question");
      dialog.append(document.adoptNode(question));
      localTimes(dialog);
      dialog.querySelector("h1").id = "question";
      dialog.querySelector(".ways a").addEventListener("click", (cancel) => { cancel.preventDefault(); dialog.close(); });
      dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
      document.body.append(dialog);
      dialog.showModal();
    } catch {
      location.href = link.href;
    }
  });
}

// The days that a search is about are the reader's own.
for (const zone of document.querySelectorAll("[data-zone]")) {
  zone.form.addEventListener("submit", () => {
    const day = new Date(zone.form.elements[zone.dataset.zone].value + "T00:00");
    zone.disabled = isNaN(day);
    if (!zone.disabled) zone.value = day.getTimezoneOffset();
  });
}

// A line that waits for the identity provider asks the server until it has called.
const live = async () => {
  const line = document.querySelector("[data-live]");
  if (!line || "done" in line.dataset) return;
  try {
    const answer = await fetch(line.dataset.live, { redirect: "error" });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      if (fresh && "done" in fresh.dataset) {
        line.replaceWith(document.adoptNode(fresh));
        localTimes(fresh);
      }
    }
  } catch {
    // the server is away; the next try may find it
  }
  setTimeout(live, 2000);
};
live();

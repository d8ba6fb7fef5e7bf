// Puts times into the reader's own zone; without scripts they stay in UTC, as their titles say.
function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const exact = "exact" in time.dataset;
    time.textContent = exact
      ? at.toLocaleString("en-GB", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" })
      : at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
    time.title = at.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "long" });
  }
}
localTimes(document);

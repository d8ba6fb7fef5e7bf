// Puts times into the reader's own zone; without scripts they stay in UTC, as their titles say.
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  time.textContent = at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
  time.title = at.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "long" });
}

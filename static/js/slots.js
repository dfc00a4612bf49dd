// Brings the day of the chosen slot into view when a form comes back with it still chosen.
{
  const chosen = document.querySelector(".app-slots input:checked");
  const errors = document.querySelector(".nhsuk-error-summary");
  if (chosen && !errors) chosen.scrollIntoView({ block: "center" });
}

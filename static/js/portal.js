// Starts the NHS.UK components on the page, and again on the parts that htmx brings in.
initAll();
document.addEventListener("htmx:load", ({ detail }) => {
  if (detail.elt !== document.body) initAll({ scope: detail.elt });
});

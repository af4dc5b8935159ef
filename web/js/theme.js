/** Sets the chosen colours before anything is drawn: no module, so that nothing comes first. */
{
  const { documentElement } = document;
  try {
    const { theme } = JSON.parse(localStorage.getItem("checkproof.prefs") ?? "{}");
    if (theme === "light" || theme === "dark") documentElement.dataset.theme = theme;
  } catch {
    // a browser that keeps nothing gets the usual colours
  }
}

// A slide that is too tall for its frame is made smaller, never cut.
const frame = { width: 1280, height: 720, margin: 0.05 };
// The pacing timer of the notes waits for a default, though every slide says its own time.
Reveal.initialize({ ...frame, defaultTiming: 60, plugins: [RevealNotes], hash: true, center: false, transition: "none", slideNumber: "c/t" });
Reveal.on("ready", () => {
  for (const slide of document.querySelectorAll(".slides section:not(:has(section))")) {
    const shown = [slide, slide.parentElement].map((each) => each.style.display);
    for (const each of [slide, slide.parentElement]) each.style.setProperty("display", "block", "important");
    const body = slide.querySelector(".body"), room = frame.height - (body ? body.offsetTop : 0);
    if (body && body.scrollHeight > room) body.style.zoom = room / body.scrollHeight * 0.98;
    [slide, slide.parentElement].forEach((each, i) => { each.style.display = shown[i]; });
  }
  document.body.dataset.fitted = "";
});

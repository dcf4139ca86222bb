// The buttons that copy what to paste. Where the clipboard is closed to us, the text is selected for the reader's hand.

async function copied(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(place);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    // Old, but it asks for no permission.
    return document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll("[data-copies]")) {
  const place = document.getElementById(button.dataset.copies);
  const said = button.parentElement.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const details = place.closest("details");
    details.open = true;
    const done = await copied(place.textContent, place);
    said.textContent = done ? "Copied." : "Selected: copy it with Ctrl+C or ⌘C.";
  });
}

"""What a browser complains about while a person uses it: errors, broken rules, dialogs nobody asked for."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Response

# Says a broken Content-Security-Policy aloud even where the browser would not.
SAY_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""
GUESSED_ICON = "/favicon.ico"  # which the browser tries where plain text, such as Markdown, names no icon


class Watch:
    """Collects complaints; the question before a page is left is answered as the test says."""

    def __init__(self) -> None:
        self.may_leave: bool | None = None
        self.questions = 0
        self.expected = ""
        self._errors: list[tuple[str, str]] = []
        self._pages: set[str] = set()

    def look_at(self, context: BrowserContext) -> None:
        """Listen to everything in this context."""
        context.add_init_script(SAY_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self._errors.append((str(error.error), "")))
        context.on("response", self._on_response)
        context.on("dialog", self._on_dialog)

    def complaints(self) -> list[str]:
        """Everything but what the test expects, and but the browser's word on the status of a whole page."""
        found = [
            words for words, url in self._errors if not (words.startswith("Failed to load") and url in self._pages)
        ]
        return [words for words in found if not self.expected or self.expected not in words]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.location["url"].endswith(GUESSED_ICON):
            self._errors.append((message.text, message.location["url"]))

    def _on_response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._pages.add(response.url)

    def _on_dialog(self, dialog: Dialog) -> None:
        if dialog.type != "beforeunload" or self.may_leave is None:
            self._errors.append((f"dialog: {dialog.type} {dialog.message}", ""))
            dialog.dismiss()
            return
        self.questions += 1
        if self.may_leave:
            dialog.accept()
        else:
            dialog.dismiss()

"""How Sphinx builds these pages: Markdown through MyST, the Furo theme, nothing fetched from elsewhere."""

project = "Penstock"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "Penstock"
html_copy_source = False
html_show_copyright = False

myst_heading_anchors = 3  # pages link to headings of others, as a git host does

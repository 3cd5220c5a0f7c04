"""What kind of text a file holds: by its name, else by its interpreter line. Data and a lookup; nothing is parsed.

Bytes cannot tell YAML from prose or Haskell from a poem, and a mark in the wrong place breaks a program. So the table
is long, and a name that nobody here knows stays :data:`PROSE` only when its extension says so (docs/text.md).
"""

from __future__ import annotations

import os
import re

PROSE = "text/plain"
PROSE_EXTENSIONS = frozenset({"", ".txt", ".text", ".log", ".asc", ".nfo", ".me"})
"""Extensions of text without a syntax of its own."""


def _spread(table: dict[str, str]) -> dict[str, str]:
    """``{media type: "names …"}`` turned round."""
    return {name: media_type for media_type, names in table.items() for name in names.split()}


EXTENSIONS: dict[str, str] = _spread({
    PROSE: " ".join(sorted(PROSE_EXTENSIONS - {""})),
    "text/markdown": ".md .markdown .mdown .mkd .qmd .rmd", "text/mdx": ".mdx",
    "text/html": ".html .htm", "application/xhtml+xml": ".xhtml .xht",
    "application/yaml": ".yaml .yml", "application/toml": ".toml",
    "application/xml": ".xml .rss .atom .xsl .xslt .xsd .plist .kml .gpx .xlf .xliff .resx .csproj .vcxproj .wsdl .opml",
    "application/json": ".json .geojson .jsonld .webmanifest .har .map", "application/jsonl": ".jsonl",
    "application/x-ndjson": ".ndjson", "application/x-ipynb+json": ".ipynb", "application/jsonc": ".jsonc",
    "application/json5": ".json5", "text/csv": ".csv", "text/tab-separated-values": ".tsv",
    "text/x-python": ".py .pyi .pyw", "text/x-starlark": ".bzl .star",
    "text/javascript": ".js .mjs .cjs .jsx", "text/x-typescript": ".ts .mts .cts .tsx",
    "text/x-vue": ".vue", "text/x-svelte": ".svelte", "text/css": ".css", "text/x-scss": ".scss .sass", "text/x-less": ".less",
    "application/x-sh": ".sh .bash .zsh .ksh .fish", "text/x-powershell": ".ps1 .psm1 .psd1", "application/x-bat": ".bat .cmd",
    "text/x-rust": ".rs", "text/x-go": ".go", "text/x-java": ".java", "text/x-kotlin": ".kt .kts",
    "text/x-swift": ".swift", "text/x-scala": ".scala .sc", "text/x-groovy": ".groovy .gradle", "text/x-dart": ".dart",
    "text/x-csharp": ".cs .csx", "text/x-fsharp": ".fs .fsi .fsx", "text/x-vb": ".vb .bas",
    "text/x-c": ".c .h .mm", "text/x-c++": ".cc .cpp .cxx .c++ .hh .hpp .hxx .ino .cu .cuh",
    "text/x-zig": ".zig", "text/x-nim": ".nim", "text/x-pascal": ".pas .dpr", "text/x-fortran": ".f90 .f95 .f03 .f08",
    "text/x-solidity": ".sol", "text/x-glsl": ".glsl .vert .frag .comp .wgsl .hlsl",
    "text/x-haskell": ".hs", "text/x-elm": ".elm .purs", "text/x-ocaml": ".ml .mli", "text/x-erlang": ".erl .hrl",
    "text/x-elixir": ".ex .exs", "text/x-clojure": ".clj .cljs .cljc .edn", "text/x-lisp": ".lisp .lsp .el .scm .rkt",
    "text/x-ruby": ".rb .rake .gemspec .podspec", "text/x-crystal": ".cr", "text/x-perl": ".pl .pm .t", "text/x-raku": ".raku",
    "application/x-php": ".php .phtml", "text/x-lua": ".lua", "text/x-r": ".r", "text/x-julia": ".jl", "text/x-tcl": ".tcl",
    "text/x-awk": ".awk", "text/x-coffeescript": ".coffee", "text/x-gdscript": ".gd", "text/x-vim": ".vim",
    "application/sql": ".sql", "application/graphql": ".graphql .gql", "text/x-proto": ".proto", "text/x-hcl": ".tf .tfvars .hcl",
    "text/x-nix": ".nix", "text/x-cmake": ".cmake", "text/x-makefile": ".mk .mak", "text/x-dockerfile": ".dockerfile",
    "text/x-verilog": ".sv .svh", "text/x-vhdl": ".vhd .vhdl",
    "application/x-tex": ".tex .ltx .sty", "text/x-bibtex": ".bib", "text/x-rst": ".rst", "text/asciidoc": ".adoc .asciidoc",
    "text/org": ".org", "text/x-gettext": ".po .pot",
    "text/x-ini": ".ini", "text/x-config": ".cfg .conf .env .properties .service .timer .socket .desktop",
    "text/vtt": ".vtt", "application/x-subrip": ".srt", "text/x-diff": ".diff .patch", "application/rtf": ".rtf",
    "message/rfc822": ".eml", "text/calendar": ".ics", "text/vcard": ".vcf",
})  # fmt: skip
"""Extension to media type. Names that IANA does not know are those of editors and of Debian's mime.types."""

_NAMES: dict[str, str] = _spread({
    "text/x-dockerfile": "dockerfile containerfile", "text/x-makefile": "makefile gnumakefile bsdmakefile",
    "text/x-cmake": "cmakelists.txt", "text/x-groovy": "jenkinsfile", "text/x-starlark": "build workspace tiltfile",
    "text/x-go-mod": "go.mod go.work",
    "text/x-ruby": "gemfile rakefile vagrantfile podfile brewfile fastfile guardfile capfile", "application/toml": "pipfile",
    "application/x-sh": ".bashrc .bash_profile .bash_aliases .profile .zshrc .zshenv .envrc pkgbuild apkbuild",
    "text/x-config": ".env .editorconfig .gitignore .gitattributes .gitconfig .gitmodules .dockerignore .npmrc .npmignore"
    " .prettierignore .eslintignore codeowners justfile robots.txt constraints.txt",
})  # fmt: skip
_REQUIREMENTS = re.compile(r"requirements[-_.a-z0-9]*\.txt")

_INTERPRETERS = (
    ("python", "text/x-python"), ("node", "text/javascript"), ("deno", "text/x-typescript"), ("bun", "text/x-typescript"),
    ("ruby", "text/x-ruby"), ("perl", "text/x-perl"), ("php", "application/x-php"), ("lua", "text/x-lua"),
    ("rscript", "text/x-r"), ("julia", "text/x-julia"), ("tclsh", "text/x-tcl"), ("awk", "text/x-awk"),
    ("gawk", "text/x-awk"), ("make", "text/x-makefile"), ("elixir", "text/x-elixir"), ("escript", "text/x-erlang"),
    ("sh", "application/x-sh"), ("bash", "application/x-sh"), ("dash", "application/x-sh"), ("zsh", "application/x-sh"),
    ("ksh", "application/x-sh"), ("fish", "application/x-sh"),
)  # fmt: skip
_SHEBANG = re.compile(rb"#![ \t]*(?:\S*/)?env[ \t]+(?:-\S+[ \t]+)*(\S+)|#![ \t]*(\S+)")
_PLAUSIBLE = re.compile(r"\.(?=.*[a-z])[a-z0-9][a-z0-9+_#~-]{0,11}")


def bare(name: str | None) -> str:
    """The lower-case last part of a name. Every look at a format asks for it, and a path object costs ten times as much."""
    return name.replace(os.sep, "/").rpartition("/")[2].lower() if name else ""


def raw_extension(name: str | None) -> str:
    """The lower-case extension with its dot, as :attr:`pathlib.PurePath.suffix` has it; empty for none."""
    low = bare(name)
    dot = low.rfind(".")
    return low[dot:] if 0 < dot < len(low) - 1 else ""


def extension(name: str | None) -> str:
    """The lower-case extension with its dot; empty for none, and for a "word" that could not be one (``v1.2``)."""
    suffix = raw_extension(name)
    return suffix if _PLAUSIBLE.fullmatch(suffix) else ""


def media_type(name: str | None, body: bytes) -> str | None:
    """The media type of a text by its name or its interpreter line; None when neither tells."""
    low = bare(name)
    if low in _NAMES or _REQUIREMENTS.fullmatch(low):
        return _NAMES.get(low, "text/x-config")
    if (low.partition(".")[0] in ("dockerfile", "containerfile")) and "." in low:
        return "text/x-dockerfile"
    return EXTENSIONS.get(extension(name)) or _interpreter(body)


def _interpreter(body: bytes) -> str | None:
    match = _SHEBANG.match(body)
    if match is None:
        return None
    program = (match[1] or match[2]).rsplit(b"/", 1)[-1].decode("latin-1").lower()
    stem = program.rstrip("0123456789.")
    return next((kind for known, kind in _INTERPRETERS if stem == known), None)

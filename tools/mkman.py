#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes the manual pages (mdoc) from commands.tbl, exits.tbl and settings.tbl.

    mkman.py TBL-FOLDER VERSION OUT-FOLDER    writes them
    mkman.py TBL-FOLDER --list                names them, one a line

fairway.1, a page for each command and each verb (fairway-report-import.1), and
fairway.conf.5.
"""
import pathlib
import re
import sys
import textwrap

import tables

DATE = "November 25, 2026"  # of the last change that a reader of the manual would notice

ENVIRONMENT = [
    ("FAIRWAY_NODE", "The node to speak to, like --node."),
    ("FAIRWAY_PASSWORD_FILE", "File whose first line is the password for a log-in, like --password-file."),
    ("XDG_STATE_HOME", "Folder that holds fairway/session; ~/.local/state if unset."),
]


def text(s):
    """Words as lines of text: each sentence begins a line, none is long."""
    out = []
    for one in re.split(r"(?<=[.?!;]) (?=[A-Z])", s.replace("\\", "\\e")):
        out += textwrap.wrap(one, 78, break_on_hyphens=False, break_long_words=False)
    return "\n".join("\\&" + line if line[:1] in ".'" else line for line in out)


def arg(s):
    """A word or several as one argument of a macro."""
    s = s.replace("\\", "\\e").replace('"', "\\(dq").replace("-", "\\-")
    return f'"{s}"' if " " in s or s == "" else ("\\&" + s if len(s) <= 3 and s[:1].isalnum() else s)


def sentence(s):
    return s if s.endswith((".", "?", "!", ":")) else s + "."


def page_name(c):
    return "-".join(filter(None, ["fairway", c.command, c.verb]))


def head(name, section, what, version):
    return ['.\\" SPDX-License-Identifier: AGPL-3.0-or-later', '.\\" Made by tools/mkman.py from src/tbl; do not edit.',
            f".Dd {DATE}", f".Dt {name.upper()} {section}", f".Os Fairway {version}", ".Sh NAME", f".Nm {name}",
            f".Nd {what[0].lower() + what[1:] if not what[1:2].isupper() else what}"]


def option_synopsis(o):
    words = f"Fl \\-{o.name}" + (f" Ar {arg(o.argument)}" if o.argument else "")
    return f".{words}" + (" ..." if o.repeat else "") if o.required else f".Op {words}" + (" ..." if o.repeat else "")


def option_item(o):
    flags = (f"Fl {o.letter} , " if o.letter else "") + f"Fl \\-{o.name}"
    out = [f".It {flags}" + (f" Ar {arg(o.argument)}" if o.argument else ""), text(sentence(o.words))]
    notes = []
    if o.choices:
        notes.append("One of " + ", ".join(o.choices) + ".")
    if o.type == "int":
        notes.append(f"From {o.min} to {o.max}.")
    if o.required:
        notes.append("Must be given.")
    if o.repeat:
        notes.append("May be given several times.")
    return out + [text(n) for n in notes]


def argument_synopsis(a):
    word = f"Ar {arg(a.name)}" + (" ..." if a.many else "")
    return f".Op {word}" if a.optional else f".{word}"


def exit_section(t):
    out = [".Sh EXIT STATUS", ".Bl -tag -width Ds"]
    for e in t.exits:
        out += [f".It {e.status}", text(sentence(e.words))]
    return out + [".El"]


def files_and_environment(offline):
    if offline:
        return []
    out = [".Sh ENVIRONMENT", ".Bl -tag -width Ds"]
    for name, words in ENVIRONMENT:
        out += [f".It Ev {name}", text(words)]
    return out + [".El"]


def verbs_of(t, c):
    return [v for v in t.commands if v.command == c.command and v.verb and not v.hidden]


def see_also(names):
    names = sorted(set(names))
    return [".Sh SEE ALSO"] + [f".Xr {n} {s}" + (" ," if i + 1 < len(names) else "") for i, (s, n) in
                               enumerate(sorted((s, n) for n, s in names))]


def command_page(t, c, version):
    out = head(page_name(c), 1, c.words, version)
    out += [".Sh SYNOPSIS", f".Nm fairway {c.command}{' ' + c.verb if c.verb else ''}"]
    if c.abstract:
        out += [".Ar verb", ".Op Ar ..."]
    own = [o for o in c.options if o not in t.common_options]
    out += [option_synopsis(o) for o in own] + [argument_synopsis(a) for a in c.arguments]
    out += [".Sh DESCRIPTION", text(sentence(c.words))]
    if c.text:
        out.append(text(c.text))
    if c.abstract:
        out += [".Bl -tag -width Ds"]
        for v in verbs_of(t, c):
            out += [f".It Xr {page_name(v)} 1", text(sentence(v.words))]
        out += [".El"]
    if c.arguments:
        out += [".Pp", "The arguments are:", ".Bl -tag -width Ds"]
        for a in c.arguments:
            out += [f".It Ar {arg(a.name)}", text(sentence(a.words))]
        out += [".El"]
    if c.options:
        out += [".Pp", "The options are:", ".Bl -tag -width Ds"]
        for o in c.options:
            out += option_item(o)
        out += [".El"]
    out += files_and_environment(c.offline) + exit_section(t)
    if c.examples:
        out.append(".Sh EXAMPLES")
        for e in c.examples:
            out += [text(sentence(e.words)), f".Dl {arg(e.line)}"]
    return out + see_also([("fairway", 1)] + ([("fairway.conf", 5)] if c.offline else [])
                          + ([(f"fairway-{c.command}", 1)] if c.verb else []))


def main_page(t, version):
    out = head("fairway", 1, "Node for work together against migrant smuggling", version)
    out += [".Sh SYNOPSIS", ".Nm fairway", ".Ar command", ".Op Ar verb", ".Op Ar options", ".Op Ar arguments",
            ".Sh DESCRIPTION",
            "One program holds a node and everything to run and to use it.",
            text("Commands that work on the files of a node are marked so; every other speaks to a running node as a "
                 "logged-in account."),
            "The commands are:", ".Bl -tag -width Ds"]
    for c in t.commands:
        if not c.verb and not c.hidden:
            out += [f".It Xr {page_name(c)} 1", text(sentence(c.words) + (" Works on files." if c.offline else ""))]
    out += [".El", ".Pp", "These options are known to every command:", ".Bl -tag -width Ds"]
    for o in t.common_options:
        out += option_item(o)
    out += [".El"] + files_and_environment(False)
    out += [".Sh FILES", ".Bl -tag -width Ds", ".It Pa ~/.local/state/fairway/session",
            "The token of the session, readable by its owner only.", ".It Pa DIR/fairway.conf",
            "Settings of the node in DIR; see", ".Xr fairway.conf 5 .", ".El"]
    out += exit_section(t)
    return out + see_also([("fairway.conf", 5)] + [(page_name(c), 1) for c in t.commands
                                                   if not c.verb and not c.hidden])


def settings_page(t, version):
    out = head("fairway.conf", 5, "Settings of a Fairway node", version)
    out += [".Sh DESCRIPTION", "The file", ".Pa fairway.conf", "in the folder of a node holds its settings:",
            "UTF\\-8 text, a section", ".Bq Ar name",
            "on a line of its own, and after it lines", ".Ar key No = Ar value .",
            "A line that begins with # or ; is a comment.",
            text("Quotation marks around a whole value are taken off, so that blanks at its ends can be kept. "
                 "A path that does not begin with / is taken from the folder of the file. "
                 "A setting that is not known, given twice or beyond its limits keeps the node from starting; "
                 "the message names the line and the cure.")]
    for s in t.sections:
        out += [f".Ss \\(lB{s.name}\\(rB", text(sentence(s.words)), ".Bl -tag -width Ds"]
        for row in [r for r in t.settings if r.section == s.name]:
            out += [f".It Cm {arg(row.key)}", text(sentence(row.words)), text(setting_limits(row))]
        out += [".El"]
    return out + see_also([("fairway", 1), ("fairway-serve", 1), ("fairway-doctor", 1)])


def setting_limits(row):
    kind = {"string": f"Text of {row.min} to {row.max} bytes", "path": "Path", "int": f"Whole number, {row.min} to {row.max}",
            "bool": "yes or no", "enum": "One of " + ", ".join(row.choices or [])}[row.type]
    return kind + ("; must be given." if row.standard is None else f"; {row.standard} if absent." if row.standard
                   else "; empty if absent.")


def pages(t, version):
    out = {"fairway.1": main_page(t, version), "fairway.conf.5": settings_page(t, version)}
    for c in t.commands:
        if not c.hidden:
            out[page_name(c) + ".1"] = command_page(t, c, version)
    return {name: "\n".join(out[name]) + "\n" for name in sorted(out)}


def main(argv):
    if len(argv) not in (2, 3) or (len(argv) == 2) != (argv[-1] == "--list"):
        print("mkman.py TBL-FOLDER VERSION OUT-FOLDER | TBL-FOLDER --list", file=sys.stderr)
        return 2
    try:
        made = pages(tables.load(argv[0]), argv[1])
    except tables.Fault as e:
        print(e, file=sys.stderr)
        return 1
    for name, content in made.items():
        if argv[1] == "--list":
            print(name)
        else:
            (pathlib.Path(argv[2]) / name).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

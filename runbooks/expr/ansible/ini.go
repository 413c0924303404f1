package ansible

import (
	"errors"
	"fmt"
	"strings"
)

// readINI reads the classic form: sections of hosts, of children and of variables.
func (inv *inventory) readINI(text string) error {
	section, kind := "ungrouped", "hosts"
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		var err error
		if line[0] == '[' && strings.HasSuffix(sectionText(line), "]") {
			section, kind, err = header(sectionText(line))
			if err == nil {
				inv.group(section)
			}
		} else {
			err = inv.line(line, section, kind)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if len(inv.groups) > maxGroups {
			return ErrTooLarge
		}
	}
	return nil
}

// sectionText is the line without a comment at its end.
func sectionText(line string) string {
	line, _, _ = strings.Cut(line, " #")
	return strings.TrimSpace(line)
}

func header(line string) (section, kind string, err error) {
	inside := line[1 : len(line)-1]
	section, kind, ok := strings.Cut(inside, ":")
	if !ok {
		kind = "hosts"
	}
	if section == "" || strings.ContainsAny(section, " []") {
		return "", "", fmt.Errorf("%q is not the name of a group", section)
	}
	if kind != "hosts" && kind != "children" && kind != "vars" {
		return "", "", fmt.Errorf("a section ends with :children or :vars, not :%s", kind)
	}
	return section, kind, nil
}

func (inv *inventory) line(line, section, kind string) error {
	switch kind {
	case "children":
		name := sectionText(line)
		if strings.ContainsAny(name, " =[]") {
			return fmt.Errorf("%q is not the name of a group", name)
		}
		inv.group(name)
		inv.group(section).children = append(inv.group(section).children, name)
		return nil
	case "vars":
		k, v, ok := strings.Cut(line, "=")
		if !ok {
			return errors.New("a variable is written name=value")
		}
		inv.group(section).vars[strings.TrimSpace(k)] = unquote(strings.TrimSpace(v))
		return nil
	}
	words, err := fields(line)
	if err != nil {
		return err
	}
	vars := map[string]string{}
	for _, w := range words[1:] {
		k, v, ok := strings.Cut(w, "=")
		if !ok {
			return fmt.Errorf("%q is no variable: write name=value", w)
		}
		vars[k] = v
	}
	name := words[0]
	if host, port, ok := strings.Cut(name, ":"); ok && !strings.Contains(name, "[") && !strings.Contains(port, ":") {
		name, vars["ansible_port"] = host, port
	}
	return inv.add(name, section, vars)
}

// fields divides a line at white space, with quotes as a shell has them, up to a comment.
func fields(line string) ([]string, error) {
	var out []string
	var word strings.Builder
	inWord := false
	quote := rune(0)
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case quote != 0 && r == quote:
			quote = 0
		case quote == '"' && r == '\\', quote == 0 && r == '\\':
			escaped, inWord = true, true
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				out = append(out, word.String())
				word.Reset()
			}
			inWord = false
		case r == '#' && !inWord:
			return finish(out)
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		out = append(out, word.String())
	}
	return finish(out)
}

func finish(words []string) ([]string, error) {
	if len(words) == 0 || words[0] == "" {
		return nil, errors.New("the name of a host is missing")
	}
	return words, nil
}

// unquote removes the quotes around a whole value.
func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

package view

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// consoleModel is the console as the terminal library sees it. All that it shows is the console's.
type consoleModel struct{ c *Console }

// ruleRune makes the rule that every frame begins with.
const ruleRune = "─"

// refresh says that something may have changed.
type refresh struct{}

// Init implements tea.Model.
func (m *consoleModel) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (m *consoleModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.c.change(func() { m.c.resized(msg.Width, msg.Height) })
	case tea.KeyPressMsg:
		m.c.key(msg)
	case tea.PasteMsg:
		m.c.change(func() {
			if e := m.c.editing(); e != nil {
				e.insert(msg.Content)
			}
		})
	}
	return m, nil
}

// View implements tea.Model.
func (m *consoleModel) View() tea.View {
	c := m.c
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.layout()
	if n := len(l.rows); len(c.tall) == 0 || c.tall[len(c.tall)-1] != n || len(c.tall) == 1 {
		c.tall = append(c.tall, n)
	}
	var b strings.Builder
	for n, r := range l.rows {
		if n > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(r.fit(c.width).text(c.s))
	}
	v := tea.NewView(b.String())
	if l.cursor[0] >= 0 {
		v.Cursor = tea.NewCursor(min(l.cursor[0], c.width-1), l.cursor[1])
		v.Cursor.Blink = false
	}
	return v
}

// layout is the view: rows, and where the cursor is.
type layout struct {
	rows   []row
	cursor [2]int // column and row; negative: there is none
}

// talkRoom is how many rows a conversation may take. The caller holds the lock.
func (c *Console) talkRoom() int {
	const board = 7 // head, clock, phase, running, failed, waits, next
	return max(c.height-board-4, 5)
}

// layout makes the view. The caller holds the lock.
func (c *Console) layout() layout {
	if c.ended {
		return layout{cursor: [2]int{-1, -1}}
	}
	l := layout{cursor: [2]int{-1, -1}}
	width := c.width
	var panel []row
	cursor := l.cursor
	rule := row{{strings.Repeat(ruleRune, width), dim}}
	if t := c.focus; t != nil {
		var rows []row
		rows, cursor, _ = t.rows(width, c.talkRoom())
		panel = append(panel, rows...)
	}
	if c.note != nil {
		n := talk{c: c, ask: c.note}
		rows, at, _ := n.rows(width, 3)
		cursor = [2]int{at[0], at[1] + len(panel)}
		panel = append(panel, rows...)
	}
	room := c.height - 3 - len(panel) // a row of the scrollback, the rule, the keys
	if len(panel) > 0 {
		room--
	}
	l.rows = append(l.rows, rule)
	l.rows = append(l.rows, c.board.Rows(c.cfg.Now(), width, max(room, 1), c.s.zone)...)
	if len(panel) > 0 {
		l.rows = append(l.rows, rule)
		if cursor[0] >= 0 {
			l.cursor = [2]int{cursor[0], cursor[1] + len(l.rows)}
		}
		l.rows = append(l.rows, panel...)
	}
	l.rows = append(l.rows, c.keys().fit(width))
	if over := len(l.rows) - (c.height - 1); over > 0 { // a terminal lower than what must be seen: the question stays
		from := min(2, len(l.rows)-over)
		l.rows = slices.Delete(l.rows, from, from+over)
		l.cursor[1] -= over
	}
	return l
}

// keys are the keys that do something now.
func (c *Console) keys() row {
	var out []string
	if len(c.talks) > 1 {
		out = append(out, "Tab "+Count(len(c.talks)-1, "more question"))
	}
	if c.note != nil {
		out = append(out, "Enter writes it", "Esc drops it")
		return row{{strings.Join(out, " · "), dim}}
	}
	if c.cfg.Note != nil {
		out = append(out, "^N note")
	}
	if c.cfg.Pause != nil {
		if c.board.paused != "" {
			out = append(out, "^P go on")
		} else {
			out = append(out, "^P pause")
		}
	}
	if c.cfg.Interrupt != nil {
		out = append(out, "^C "+c.cfg.Leaving)
	}
	return row{{strings.Join(out, " · "), dim}}
}

// editing is the line that is typed into; nil when nothing is asked. The caller holds the lock.
func (c *Console) editing() *editor {
	switch {
	case c.note != nil:
		return &c.note.edit
	case c.focus != nil && c.focus.ask != nil:
		return &c.focus.ask.edit
	}
	return nil
}

// key does what a key does. What is to be called is called without the lock.
func (c *Console) key(k tea.KeyPressMsg) {
	var then func()
	c.change(func() { then = c.press(k) })
	if then != nil {
		then()
	}
}

func (c *Console) press(k tea.KeyPressMsg) (then func()) {
	name := k.String()
	switch name {
	case "ctrl+c":
		return c.cfg.Interrupt
	case "ctrl+p":
		on := c.board.paused == ""
		if c.cfg.Pause != nil {
			return func() { c.cfg.Pause(on) }
		}
	case "ctrl+n":
		if c.cfg.Note != nil && c.note == nil {
			c.note = &prompt{text: "note:"}
		}
	case "tab", "shift+tab":
		c.turn()
	case "esc":
		c.note = nil
	case "enter":
		return c.enter()
	default:
		if e := c.editing(); e != nil && !e.key(name) {
			e.insert(k.Text)
		}
	}
	return nil
}

// enter ends the line that is typed.
func (c *Console) enter() (then func()) {
	if c.note != nil {
		text := c.note.edit.value()
		c.note = nil
		if text != "" {
			return func() { c.cfg.Note(text) }
		}
		return nil
	}
	if c.focus != nil && c.focus.ask != nil {
		c.focus.ask.enter()
	}
	return nil
}

// turn goes to the next open question.
func (c *Console) turn() {
	for n, t := range c.talks {
		if t == c.focus {
			c.focus = c.talks[(n+1)%len(c.talks)]
			return
		}
	}
}

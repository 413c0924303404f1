package report

import (
	"html/template"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// instructionsHTML renders the Markdown of a manual item. Raw HTML is shown as the text that it is, images as their
// address (nothing is loaded), and headings become bold paragraphs so that they do not disturb the order of the report's own.
func instructionsHTML(source string) template.HTML {
	md := goldmark.New(goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(quietNodes{}, 1))))
	var b strings.Builder
	if err := md.Convert([]byte(visibleLines(source)), &b); err != nil {
		return template.HTML("<pre>" + template.HTMLEscapeString(visibleLines(source)) + "</pre>") //nolint:gosec // escaped
	}
	return template.HTML(b.String()) //nolint:gosec // goldmark escapes, and raw HTML is off
}

// quietNodes replaces the nodes that would load something or that are headings.
type quietNodes struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (quietNodes) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindHeading, func(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
		text := "</strong></p>\n"
		if entering {
			text = "<p><strong>"
		}
		return ast.WalkContinue, write(w, []byte(text))
	})
	reg.Register(ast.KindImage, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		img, _ := n.(*ast.Image)
		if img == nil {
			return ast.WalkContinue, nil
		}
		return ast.WalkContinue, write(w, []byte("[image: "), util.EscapeHTML(img.Destination), []byte("] "))
	})
	reg.Register(ast.KindRawHTML, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if raw, ok := n.(*ast.RawHTML); ok && entering {
			return ast.WalkSkipChildren, write(w, util.EscapeHTML(raw.Segments.Value(source)))
		}
		return ast.WalkSkipChildren, nil
	})
	reg.Register(ast.KindHTMLBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		block, ok := n.(*ast.HTMLBlock)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		text := block.Lines().Value(source)
		if block.HasClosure() {
			text = append(text, block.ClosureLine.Value(source)...)
		}
		return ast.WalkContinue, write(w, []byte("<pre>"), util.EscapeHTML(text), []byte("</pre>\n"))
	})
}

func write(w util.BufWriter, parts ...[]byte) error {
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return nil
}

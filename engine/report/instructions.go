package report

import (
	"html/template"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// instructionsHTML renders the Markdown of a manual item. Raw HTML is left out, images are shown as their text (nothing
// is loaded), and headings become bold paragraphs so that they do not disturb the order of the report's own.
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
		_, err := w.WriteString(text)
		return ast.WalkContinue, err
	})
	reg.Register(ast.KindImage, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		img, _ := n.(*ast.Image)
		_, err := w.WriteString("[image: ")
		if err == nil && img != nil {
			_, err = w.Write(util.EscapeHTML(img.Destination))
		}
		if err == nil {
			_, err = w.WriteString("] ")
		}
		return ast.WalkContinue, err
	})
	skip := func(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) { return ast.WalkSkipChildren, nil }
	reg.Register(ast.KindRawHTML, skip)
	reg.Register(ast.KindHTMLBlock, skip)
}

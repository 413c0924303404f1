package expr

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func conversionFunctions() map[string]entry {
	return map[string]entry{
		"tobool":   {"tobool(value)", "the value as true or false", stdlib.MakeToFunc(cty.Bool)},
		"tolist":   {"tolist(value)", "the value as a list", stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType))},
		"tomap":    {"tomap(value)", "the value as a map", stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType))},
		"tonumber": {"tonumber(value)", "the value as a number", stdlib.MakeToFunc(cty.Number)},
		"toset":    {"toset(value)", "the value as a set", stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType))},
		"tostring": {"tostring(value)", "the value as text", stdlib.MakeToFunc(cty.String)},
	}
}

func dataFunctions(files Files) map[string]entry {
	return map[string]entry{
		"ansibleinventory": {"ansibleinventory(text)",
			"the hosts of an Ansible inventory, INI or YAML: name, address, port, user, groups, vars", ansibleInventoryFunc()},
		"base64decode": {"base64decode(text)", "the text that is written in base64", base64DecodeFunc()},
		"base64encode": {"base64encode(text)", "the text in base64", base64EncodeFunc()},
		"csvdecode":    {"csvdecode(text)", "the rows as objects, named by the first row", guardMarks(stdlib.CSVDecodeFunc, "\n,")},
		"file":         {"file(path)", "the text of a file of the project", fileFunc(files)},
		"jsondecode":   {"jsondecode(text)", "the value that is written in JSON", guardMarks(stdlib.JSONDecodeFunc, ",[{")},
		"jsonencode":   {"jsonencode(value)", "the value in JSON", stdlib.JSONEncodeFunc},
		"sha256":       {"sha256(text)", "the SHA-256 of the text, in hex", sha256Func()},
		"yamldecode":   {"yamldecode(text)", "the value that is written in YAML", yamlDecodeFunc()},
	}
}

func sha256Func() function.Function {
	return pureText(cty.String, func(a []string) (cty.Value, error) {
		sum := sha256.Sum256([]byte(a[0]))
		return cty.StringVal(hex.EncodeToString(sum[:])), nil
	}, "text")
}

func base64EncodeFunc() function.Function {
	return pureText(cty.String, func(a []string) (cty.Value, error) {
		return cty.StringVal(base64.StdEncoding.EncodeToString([]byte(a[0]))), nil
	}, "text")
}

func base64DecodeFunc() function.Function {
	return pureText(cty.String, func(a []string) (cty.Value, error) {
		b, err := base64.StdEncoding.DecodeString(a[0])
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "it is not base64")
		}
		return textOf(b)
	}, "text")
}

// textOf makes a string of bytes only where nothing is lost: strings of the language are UTF-8 in normal form C.
func textOf(b []byte) (cty.Value, error) {
	if !utf8.Valid(b) {
		return cty.NilVal, errNotText
	}
	v := cty.StringVal(string(b))
	if v.AsString() != string(b) {
		return cty.NilVal, &problem{code: CodeFunction, summary: "text would be changed",
			detail: "Texts are kept in Unicode normal form C, and this one is not in it.",
			hint:   "convert it (uconv -x any-nfc), or hand it over unread with a transfer"}
	}
	return v, nil
}

// fileFunc reads a file of the project. The value depends on nothing but the project, whose files are in the evidence.
func fileFunc(files Files) function.Function {
	return pureText(cty.String, func(a []string) (cty.Value, error) {
		if files == nil {
			return cty.NilVal, &problem{code: CodeFunction, summary: "files cannot be read here"}
		}
		b, err := files.ReadFile(a[0])
		if err != nil {
			return cty.NilVal, &problem{code: CodeFunction, summary: err.Error(),
				hint: "paths are relative to the project, with /, and stay inside it"}
		}
		if len(b) > LimitString {
			return cty.NilVal, tooLong()
		}
		return textOf(b)
	}, "path")
}

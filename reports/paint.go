package reports

// paint colours text with the eight ANSI colours; its zero value leaves text as
// it is.
type paint struct{ on bool }

const (
	ansiReset  = "\x1b[0m"
	ansiBold   = "\x1b[1m"
	ansiDim    = "\x1b[2m"
	ansiRed    = "\x1b[31m"
	ansiGreen  = "\x1b[32m"
	ansiYellow = "\x1b[33m"
)

func (p paint) with(code, text string) string {
	if !p.on || text == "" {
		return text
	}
	return code + text + ansiReset
}

func (p paint) dim(text string) string  { return p.with(ansiDim, text) }
func (p paint) bold(text string) string { return p.with(ansiBold, text) }

func (p paint) outcome(o Outcome, text string) string {
	switch o {
	case Pass:
		return p.with(ansiGreen, text)
	case Fail, Error:
		return p.with(ansiBold+ansiRed, text)
	case Warn, CouldNotRun, UnexpectedPass, ExpectedFail:
		return p.with(ansiYellow, text)
	}
	return p.dim(text)
}

func (p paint) standing(s standing, text string) string {
	switch s {
	case standsKept:
		return p.with(ansiBold+ansiGreen, text)
	case standsBroken:
		return p.with(ansiBold+ansiRed, text)
	}
	return p.with(ansiBold+ansiYellow, text)
}

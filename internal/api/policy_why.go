package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"jiseki/internal/access"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/session"
	"jiseki/internal/store"
)

func (s *policyService) Why(ctx context.Context, r *controlv1.WhyRequest) (*controlv1.WhyResponse, error) {
	for _, id := range []string{r.GetUserId(), r.GetDeskId()} {
		if err := checkID(id); err != nil {
			return nil, err
		}
	}
	q := session.Question{
		User: r.GetUserId(), Desk: r.GetDeskId(), Device: r.GetDeviceId(), Second: r.GetSecondFactor(),
		Place: small[access.Place](r.GetPlace()), Viewer: small[grant.ViewerKind](r.GetViewer()), At: s.cfg.Now(),
	}
	if r.GetTimeMs() != 0 {
		q.At = time.UnixMilli(r.GetTimeMs())
	}
	if q.Place < access.Home || q.Place > access.Office {
		return nil, invalid(errors.New("place"))
	}
	answer, err := s.cfg.Sessions.Why(ctx, q)
	if err != nil {
		return nil, err
	}
	sections, err := s.cfg.Store.Sections(ctx)
	if err != nil {
		return nil, err
	}
	return whyMessage(&answer, sections), nil
}

func whyMessage(a *session.Answer, sections []store.Section) *controlv1.WhyResponse {
	d := &a.Decision
	m := &controlv1.WhyResponse{Allowed: d.Allowed()}
	if m.Allowed {
		m.Limits = &controlv1.Limits{
			Rights: uint32(d.Rights), IdleS: seconds(d.Idle), GraceS: seconds(d.Grace), SessionUntilMs: d.Until.UnixMilli(),
		}
	}
	for _, code := range d.Reasons {
		m.Reasons = append(m.Reasons, reasonOf(access.Explain(code)))
	}
	for _, c := range a.Checks {
		m.Checks = append(m.Checks, &controlv1.WhyCheck{Reason: reasonOf(access.Explain(c.Code)), Refuses: c.Refuses})
	}
	for _, v := range a.Values {
		w := &controlv1.WhyValue{Name: v.Name, Value: v.Value}
		if v.Rule != nil {
			w.SourceJa, w.SourceEn = ruleWords(v.Rule, a.Employments, sections)
		}
		m.Values = append(m.Values, w)
	}
	return m
}

var zoneWords = map[grant.Zone][2]string{
	grant.ZoneLGWAN: {"LGWAN接続系", "LGWAN"}, grant.ZoneInternet: {"インターネット接続系", "Internet"},
	grant.ZoneMyNumber: {"マイナンバー利用事務系", "My Number"},
}

// ruleWords names a rule by whom it is for.
func ruleWords(r *access.PolicyRule, employments []access.Employment, sections []store.Section) (ja, en string) {
	var jas, ens []string
	if r.Section == "" {
		jas, ens = append(jas, "全所属"), append(ens, "all sections")
	}
	for i := range sections {
		if sections[i].ID == r.Section {
			jas, ens = append(jas, sections[i].Name), append(ens, sections[i].Name)
		}
	}
	for _, e := range employments {
		if e.ID == r.Employment {
			jas, ens = append(jas, e.Name), append(ens, e.Name)
		}
	}
	if w, ok := zoneWords[r.Zone]; ok {
		jas, ens = append(jas, w[0]), append(ens, w[1])
	}
	return strings.Join(jas, "・"), strings.Join(ens, ", ")
}

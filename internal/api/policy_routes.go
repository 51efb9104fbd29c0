package api

import (
	"context"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/telework"
)

func (s *policyService) GetRoutes(ctx context.Context, _ *controlv1.GetRoutesRequest) (*controlv1.GetRoutesResponse, error) {
	routes, err := s.cfg.Store.Routes(ctx)
	if err != nil {
		return nil, err
	}
	sections, err := s.cfg.Store.Sections(ctx)
	answer := &controlv1.GetRoutesResponse{}
	for i := range sections {
		route := &controlv1.Route{SectionId: sections[i].ID}
		for _, step := range routes[sections[i].ID] {
			route.Steps = append(route.Steps, &controlv1.RouteStep{SectionId: step.Section, Circulate: step.Circulate})
		}
		answer.Routes = append(answer.Routes, route)
	}
	return answer, err
}

func (s *policyService) PutRoute(ctx context.Context, r *controlv1.PutRouteRequest) (*controlv1.PutRouteResponse, error) {
	var steps []telework.RouteStep
	for _, step := range r.GetRoute().GetSteps() {
		steps = append(steps, telework.RouteStep{Section: step.GetSectionId(), Circulate: step.GetCirculate()})
	}
	return &controlv1.PutRouteResponse{}, s.cfg.Store.PutRoute(ctx, callerOf(ctx).by, r.GetRoute().GetSectionId(), steps)
}

"""board.py - what the dashboards of make.py share: panels in rows, variables, thresholds."""

class Board:
    """Panels in rows of 24 columns, each asking one data source by one query or a list of them."""

    def __init__(self, source):
        self.source = source
        self.panels = []
        self.x = self.y = self.height = 0

    def add(self, title, kind, width, height, query, unit="none", **more):
        if self.x + width > 24:
            self.x, self.y, self.height = 0, self.y + self.height, 0
        defaults = {"unit": unit, **more.pop("defaults", {})}
        self.panels.append({
            "id": len(self.panels) + 1, "title": title, "type": kind, "datasource": self.source,
            "gridPos": {"x": self.x, "y": self.y, "w": width, "h": height},
            "targets": query if isinstance(query, list) else [query],
            "fieldConfig": {"defaults": defaults, "overrides": more.pop("overrides", [])}, **more})
        self.x += width
        self.height = max(self.height, height)

    def row(self, title, **more):
        self.x, self.y = 0, self.y + self.height
        self.panels.append({"id": len(self.panels) + 1, "title": title, "type": "row",
                            "collapsed": False, "panels": [],
                            "gridPos": {"x": 0, "y": self.y, "w": 24, "h": 1}, **more})
        self.y, self.height = self.y + 1, 0


def steps(*pairs):
    return {"mode": "absolute", "steps": [{"color": color, "value": value}
                                          for color, value in pairs]}


def variable(name, label, **more):
    return {"name": name, "label": label, "hide": 0, **more}


def dashboard(uid, title, variables, panels, refresh, span):
    """The whole of a file; refresh and span (looked back) as Grafana writes times."""
    return {"uid": uid, "title": title, "tags": ["tandem"],
            "schemaVersion": 39, "version": 1, "editable": False, "refresh": refresh,
            "time": {"from": f"now-{span}", "to": "now"}, "timezone": "browser",
            "templating": {"list": variables}, "annotations": {"list": []}, "panels": panels}

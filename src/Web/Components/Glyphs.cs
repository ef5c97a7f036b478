namespace Dashboard.Web.Components;

/// <summary>The inner markup of each icon, drawn on a 24 by 24 grid with a stroke in the text's colour. Shown by <see cref="Icon"/>.</summary>
public static class Glyphs
{
    public const string Bell = """<path d="M6 16v-5a6 6 0 1 1 12 0v5l1.5 2h-15zM10 21h4"/>""";

    public const string Bid = """<path d="m14 4 6 6M11 7l6 6M12.5 5.5 18.5 11.500M13 9l-9 9 2 2 9-9"/>""";

    public const string Block = """<circle cx="12" cy="12" r="9"/><path d="M6 6l12 12"/>""";

    public const string Bolt = """<path d="M13 3 5 14h6l-1 7 8-11h-6z"/>""";

    public const string Budget = """<path d="M4 18a8 8 0 1 1 16 0M12 18l4-6M4 18h16"/>""";

    public const string Check = """<path d="m5 12.5 4.5 4.500L19 7.5"/>""";

    public const string CheckCircle = """<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.7 2.700L16 9.5"/>""";

    public const string ChevronDown = """<path d="m6 9 6 6 6-6"/>""";

    public const string ChevronRight = """<path d="m9 6 6 6-6 6"/>""";

    public const string Clock = """<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>""";

    public const string Close = """<path d="M6 6l12 12M18 6 6 18"/>""";

    public const string Copy = """<rect x="8" y="8" width="12" height="12" rx="2"/><path d="M16 8V5a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h3"/>""";

    public const string Costs = """<circle cx="12" cy="12" r="8.5"/><path d="M12 7v10M14.8 9.2c-.5-.8-1.5-1.2-2.8-1.2-1.6 0-2.8.8-2.8 2s1.2 1.7 2.8 2 2.8.8 2.8 2-1.2 2-2.8 2c-1.3 0-2.3-.4-2.8-1.2"/>""";

    public const string Dangerous = """<path d="M8.3 3h7.400L21 8.300v7.400L15.7 21H8.300L3 15.700V8.300zM9 9l6 6M15 9l-6 6"/>""";

    public const string Download = """<path d="M12 4v11M7.5 11l4.5 4.5 4.5-4.500M5 20h14"/>""";

    public const string Eye = """<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/><circle cx="12" cy="12" r="2.5"/>""";

    public const string File = """<path d="M6 3h8l4 4v14H6zM14 3v4h4"/>""";

    public const string Gear = """<circle cx="12" cy="12" r="3"/><path d="M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.600l2.1 2.100M16.3 16.300l2.1 2.100M18.4 5.600l-2.1 2.100M7.7 16.300l-2.1 2.1"/>""";

    public const string Help = """<circle cx="12" cy="12" r="9"/><path d="M9.5 9.500a2.5 2.5 0 1 1 3.5 2.300c-.7.3-1 .9-1 1.700M12 16.500h.01"/>""";

    public const string Home = """<path d="M4 11 12 4l8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z"/>""";

    public const string HowToReg = """<circle cx="10" cy="8" r="3.5"/><path d="M3.5 20c.6-3.5 3.2-5.5 6.5-5.5 1 0 2 .2 2.8.5M14.5 18l2.2 2.2 4.3-4.3"/>""";

    public const string Jobs = """<path d="M4 6h.01M4 12h.01M4 18h.01M8 6h12M8 12h12M8 18h12"/>""";

    public const string Key = """<circle cx="8" cy="15" r="4"/><path d="m11 12 8-8M16 7l3 3"/>""";

    public const string Logo = """<path d="M12 3v6M12 15v6M3 12h6M15 12h6"/>""";

    public const string Machine = """<rect x="4" y="4" width="16" height="7" rx="1.5"/><rect x="4" y="13" width="16" height="7" rx="1.5"/><path d="M8 7.5h.01M8 16.5h.01"/>""";

    public const string Market = """<path d="M4 9h16l-1.2-4.2a1 1 0 0 0-1-.8H6.2a1 1 0 0 0-1 .8zM5 9v10a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V9M9 20v-6h6v6"/>""";

    public const string More = """<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3"/>""";

    public const string PauseCircle = """<circle cx="12" cy="12" r="9"/><path d="M10 9v6M14 9v6"/>""";

    public const string Pending = """<path d="M12 3a9 9 0 1 0 9 9"/><path d="M12 8v4l3 2"/>""";

    public const string People = """<circle cx="9" cy="8" r="3.5"/><path d="M2.5 20c.6-3.5 3.2-5.5 6.5-5.500s5.9 2 6.5 5.500M16 4.800a3.5 3.5 0 0 1 0 6.400M18 14.900c1.9.8 3.2 2.6 3.5 5.1"/>""";

    public const string PlayCircle = """<circle cx="12" cy="12" r="9"/><path d="M10 8.500v7l5.5-3.500z" fill="currentColor"/>""";

    public const string Plug = """<path d="M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4"/>""";

    public const string Plus = """<path d="M12 5v14M5 12h14"/>""";

    public const string Power = """<path d="M12 3.5v8M6.8 7a8 8 0 1 0 10.4 0"/>""";

    public const string Search = """<circle cx="11" cy="11" r="6.5"/><path d="m20 20-4.3-4.3"/>""";

    public const string Sell = """<path d="M3.5 12.500V4.500a1 1 0 0 1 1-1h8l8 8-9 9zM8 8h.01"/>""";

    public const string Shield = """<path d="M12 3 5 6v5c0 5 3 8 7 10 4-2 7-5 7-10V6z"/><path d="m9 11.5 2.2 2.200L15.5 9.5"/>""";

    public const string Prices = """<path d="M4 4v15a1 1 0 0 0 1 1h15M7.5 14.500l3.500-4 3 2.500L19.5 7"/>""";

    public const string Star = """<path d="m12 4 2.500 5.100 5.500.8-4 3.900.900 5.500-4.900-2.600-4.900 2.600.900-5.500-4-3.900 5.500-.8z"/>""";

    public const string StarFull = """<path d="m12 4 2.500 5.100 5.500.8-4 3.900.900 5.500-4.900-2.600-4.900 2.600.900-5.500-4-3.900 5.500-.8z" fill="currentColor"/>""";

    public const string Stop = """<rect x="6" y="6" width="12" height="12" rx="2"/>""";

    public const string Terminal = """<rect x="3" y="4" width="18" height="16" rx="2"/><path d="m7 9 3 3-3 3M12.5 15H17"/>""";

    public const string Theme = """<circle cx="12" cy="12" r="4"/><path d="M12 2.500v2M12 19.500v2M2.5 12h2M19.5 12h2M5.3 5.300l1.4 1.400M17.3 17.300l1.4 1.400M18.7 5.300l-1.4 1.400M6.7 17.300l-1.4 1.4"/>""";

    public const string Trash = """<path d="M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5"/>""";

    public const string Upload = """<path d="M12 20V9M7.5 13 12 8.500l4.5 4.500M5 4h14"/>""";

    public const string Warning = """<path d="M12 4 2.8 20h18.400zM12 10v4.500M12 17.500h.01"/>""";
}

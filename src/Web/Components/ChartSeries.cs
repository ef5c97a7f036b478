namespace Dashboard.Web.Components;

/// <summary>One point of a chart. A null value is a gap in the line, never a bridge over it.</summary>
/// <param name="X">A number, or Unix milliseconds on a time axis.</param>
public sealed record ChartPoint(double X, double? Y);

/// <summary>One line of a chart, already reduced to what the pixels can show, by rising x.</summary>
/// <param name="Color">Name of a series token, <c>c1</c> to <c>c7</c>.</param>
/// <param name="Dashed">For what is not measured continuously, such as evaluation.</param>
public sealed record ChartSeries(string Name, IReadOnlyList<ChartPoint> Points, string Color = "c1", bool Dashed = false);

/// <summary>Something that happened at a place of the x axis, in a few words.</summary>
public sealed record ChartMark(double X, string Text);

/// <summary>What the x axis counts.</summary>
public enum ChartAxis
{
    Number,

    /// <summary>Unix milliseconds, labelled in the reader's zone.</summary>
    Time,
}

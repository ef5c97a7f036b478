using System.Globalization;
using System.Text;
using Dashboard.Simulation.Harness;

namespace Dashboard.Simulation.Stories;

internal enum Teller
{
    Product,
    Provider,
    Machine,
    Fault,
    Crash,
    Person,
    Judge,
}

/// <summary>What happened in a world, in order, for whoever has to understand a violation. Kept only when somebody will read it.</summary>
internal sealed class Story(SimulatedTime time, bool told)
{
    private readonly List<(long At, Teller Who, string What)> _lines = [];

    public bool Told => told;

    public void Add(Teller who, string what)
    {
        if (told)
        {
            _lines.Add((time.Elapsed, who, what));
        }
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (at, who, what) in _lines)
        {
            text.Append(CultureInfo.InvariantCulture, $"{TimeSpan.FromTicks(at):hh\\:mm\\:ss\\.fff}  {who,-8}  {what.ReplaceLineEndings(" ")}").Append('\n');
        }

        return text.ToString();
    }
}

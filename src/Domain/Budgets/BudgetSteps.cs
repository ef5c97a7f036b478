using System.Globalization;
using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Budgets;

/// <summary>Shares of a limit at which people are told, in percent, each once a period.</summary>
public static class BudgetSteps
{
    public const int Most = 10;

    public static IReadOnlyList<int> Usual { get; } = [25, 50, 75, 90, 100];

    /// <summary>Of one job's own limit: many jobs have one, and the last step is its ending.</summary>
    public static IReadOnlyList<int> OfOneJob { get; } = [75, 90];

    /// <summary>Steps that are reached and were not told of, lowest first.</summary>
    /// <param name="told">The highest step that was told of in the period; zero: none.</param>
    public static IReadOnlyList<int> Due(IReadOnlyList<int> steps, Money spent, Money limit, int told) =>
        [.. steps.Where(step => step > told && Reaches(spent, limit, step)).Order()];

    /// <summary>The highest step that is reached; zero: none.</summary>
    public static int Reached(IReadOnlyList<int> steps, Money spent, Money limit) =>
        steps.Where(step => Reaches(spent, limit, step)).DefaultIfEmpty(0).Max();

    /// <summary><c>50, 80, 100</c>, as typed by people; empty: never told. Null: these are no shares from 1 to 100%, or too many.</summary>
    public static IReadOnlyList<int>? Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var steps = new SortedSet<int>();
        foreach (var part in text.Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "%")
            {
                continue;
            }

            if (!int.TryParse(part.TrimEnd('%'), NumberStyles.None, CultureInfo.InvariantCulture, out var step) || step is < 1 or > 100)
            {
                return null;
            }

            steps.Add(step);
        }

        return steps.Count <= Most ? [.. steps] : null;
    }

    /// <summary><c>50, 80, 100</c>.</summary>
    public static string Write(IReadOnlyList<int> steps) => string.Join(", ", steps);

    private static bool Reaches(Money spent, Money limit, int step) => spent.Micros * 100m >= limit.Micros * (decimal)step;
}

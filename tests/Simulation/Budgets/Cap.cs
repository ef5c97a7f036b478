namespace Dashboard.Simulation.Budgets;

/// <summary>A limit that all jobs of a world are under, for all time; at the limit they save and stop.</summary>
/// <param name="OnProject">Of the project they are in; else of the team.</param>
internal sealed record Cap(decimal Usd, bool OnProject = false);

namespace Dashboard.Infrastructure;

/// <summary>Where this installation keeps what is not in the database: logs, metrics, artifacts.</summary>
/// <param name="Root">An absolute path, or one relative to the working directory. Need not exist yet.</param>
public sealed record DataDirectory(string Root);

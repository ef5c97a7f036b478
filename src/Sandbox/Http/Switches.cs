namespace Dashboard.Sandbox.Http;

/// <summary>What a test or a person turned on through the control endpoints.</summary>
internal sealed class SwitchPositions
{
    /// <summary>Null leaves what the command line says.</summary>
    public LimitMode? Limits { get; set; }

    /// <summary>Offer rows a caller gets in a day; null leaves what the mode says.</summary>
    public int? RowsADay { get; set; }

    /// <summary>404 as most of the provider's routes answer, or 401 as its documents say.</summary>
    public int UnknownKeyStatus { get; set; } = StatusCodes.Status404NotFound;

    public int NextFaultId { get; set; } = 1;

    public List<Fault> Faults { get; init; } = [];
}

/// <summary>The switches in their present positions, kept over restarts.</summary>
internal sealed class Switches(string path, LimitMode initialLimits)
{
    private readonly Kept<SwitchPositions> _kept = new(path);

    public LimitMode Limits => _kept.Read(positions => positions.Limits) ?? initialLimits;

    public int UnknownKeyStatus => _kept.Read(positions => positions.UnknownKeyStatus);

    /// <summary>Null: rows are not counted.</summary>
    public int? RowsADay => _kept.Read(positions => positions.RowsADay) ?? Limits switch
    {
        LimitMode.Off => null,
        LimitMode.Real => Http.Limits.RowsADay,
        LimitMode.Harsh => Http.Limits.HarshRowsADay,
    };

    public T Read<T>(Func<SwitchPositions, T> question) => _kept.Read(question);

    public T Change<T>(Func<SwitchPositions, T> change) => _kept.Change(change);
}

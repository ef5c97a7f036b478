namespace Dashboard.EndToEnd.Harness;

/// <summary>What is left when all is over: the market's books beside ours.</summary>
internal sealed class ChaosOutcome(Truth truth, Books books, Strangers strangers, Weather weather, Workload workload, RequestTally requests)
{
    public IReadOnlyList<JobRow> Jobs { get; } = books.Jobs();

    public IReadOnlyList<InstanceRow> Rows { get; } = books.Instances();

    /// <summary>All machines that were ever rented for us.</summary>
    public IReadOnlyList<Contract> Ours { get; } = [.. truth.Contracts.Where(contract => !strangers.Ids.Contains(contract.Id))];

    /// <summary>Machines that live although every row has ended, or that no row knows.</summary>
    public IReadOnlyList<Contract> Orphans => [.. Ours.Where(contract => !contract.Destroyed || Rows.All(row => row.Label != contract.Label))];

    /// <summary>Labels under which more than one rent call was made or more than one machine exists.</summary>
    public IReadOnlyList<string> DoubleRents =>
    [
        .. Rows.GroupBy(row => row.Label).Where(rows => rows.Count() > 1).Select(rows => rows.Key),
        .. Ours.GroupBy(contract => contract.Label).Where(machines => machines.Count() > 1).Select(machines => $"{machines.Key}"),
        .. Rows.Where(row => truth.RentCallsByLabel.GetValueOrDefault(row.Label) is var calls && (calls > 1 || (calls == 0 && row.ContractId is not null))).Select(row => row.Label),
    ];

    public IReadOnlyList<string> StrangersLost => [.. truth.Contracts.Where(contract => contract.Destroyed && strangers.Ids.Contains(contract.Id)).Select(contract => contract.Id)];

    public IReadOnlyList<string> StrangersTouched => requests.Touching(strangers.Ids);

    /// <summary>Jobs that nobody stopped and none of whose machines died under them.</summary>
    public IReadOnlyList<JobRow> Survivors =>
        [.. Jobs.Where(job => !workload.Stopped.Contains(job.Number) && !Rows.Any(row => row.JobNumber == job.Number && row.ContractId is { } contract && weather.Dead.ContainsKey(contract)))];

    public IReadOnlyList<JobRow> Succeeded => [.. Survivors.Where(job => job.Status == "Succeeded")];
}

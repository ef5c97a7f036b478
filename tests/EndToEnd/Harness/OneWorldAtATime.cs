namespace Dashboard.EndToEnd.Harness;

/// <summary>Tests that keep the processors busy or measure seconds: beside others they would slow each other down. They run one by one, after those that wait.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OneWorldAtATime
{
    public const string Name = "One world at a time";
}

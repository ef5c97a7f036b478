using Dashboard.Domain;
using Dashboard.Domain.Instances;
using Dashboard.Infrastructure.Persistence;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Signs and verifies labels with this installation's secret. Not sealed, so that a test can take the check of the signature away and see what it holds off.</summary>
public class InstanceLabels(InstallationIdentity installation)
{
    public string For(InstanceId instance) => InstanceLabel.For(instance, installation.Label, installation.Secret);

    /// <summary>The row a label names, when this installation signed it.</summary>
    public virtual InstanceId? Verify(string? label) => InstanceLabel.Verify(label, installation.Label, installation.Secret);
}

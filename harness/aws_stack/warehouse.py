"""The warehouse's part of the template: a Redshift Serverless workgroup of the stack's own, or one that is there.

In: nothing. Out: parameters, conditions and resources. A warehouse of its own lies in the caller's VPC, with the
functions beside it: they reach S3 and Secrets Manager through endpoints there, and nobody else reaches it but the one
address range that is named.
"""

from typing import Any

Resource = dict[str, Any]


def _text(default: str, description: str) -> Resource:
    return {"Type": "String", "Default": default, "Description": description}


PARAMETERS: Resource = {
    "RedshiftHost": _text("", "A warehouse that is there; if empty, Redshift Serverless is made"),
    "RedshiftPort": _text("5439", "Its port"),
    "RedshiftSecretArn": _text("", "Its secret in Secrets Manager, with username and password"),
    "RedshiftCluster": _text("", "Its cluster identifier, for the scheduled merges"),
    "RedshiftCaFile": _text("", "A certificate authority inside the image to trust besides the usual ones"),
    "RedshiftDatabase": _text("dev", "The database"),
    "RedshiftUser": _text("awsuser", "The user who owns the tables"),
    "RedshiftBaseCapacity": {
        "Type": "Number", "Default": 8, "MinValue": 4, "MaxValue": 1024,
        "Description": "Redshift Processing Units of a serverless warehouse",
    },
    "VpcId": _text("", "Where a serverless warehouse and the functions live; needed to make one"),
    "SubnetIds": {
        "Type": "CommaDelimitedList", "Default": "",
        "Description": "At least three subnets of the VPC, in three availability zones",
    },
    "RouteTableIds": {
        "Type": "CommaDelimitedList", "Default": "",
        "Description": "The subnets' route tables, for the endpoint to S3",
    },
    "HarnessCidr": _text("", "Who may connect to the warehouse from outside, such as 203.0.113.7/32; nobody if empty"),
}  # fmt: skip

# What the stack's own warehouse is called by, for each parameter that an existing one has.
REDSHIFT: dict[str, Any] = {
    "Host": {"Fn::GetAtt": ["Workgroup", "Workgroup.Endpoint.Address"]},
    # Redshift Serverless listens here unless told otherwise.
    "Port": "5439",
    "SecretArn": {"Ref": "WarehouseSecret"},
    "Database": {"Ref": "RedshiftDatabase"},
    "User": {"Ref": "RedshiftUser"},
}

CONDITIONS: Resource = {
    "MakesWarehouse": {"Fn::Equals": [{"Ref": "RedshiftHost"}, ""]},
    "InVpc": {"Fn::Not": [{"Fn::Equals": [{"Ref": "VpcId"}, ""]}]},
    "HasCaFile": {"Fn::Not": [{"Fn::Equals": [{"Ref": "RedshiftCaFile"}, ""]}]},
    "HasHarnessCidr": {
        "Fn::And": [{"Condition": "InVpc"}, {"Fn::Not": [{"Fn::Equals": [{"Ref": "HarnessCidr"}, ""]}]}]
    },
    "HasRouteTables": {
        "Fn::And": [
            {"Condition": "InVpc"},
            {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "RouteTableIds"}]}, ""]}]},
        ]
    },
}


def existing_or(parameter: str, own: Any) -> Any:
    """The parameter where a warehouse was there, else what the stack's own is called by."""
    return own if own == {"Ref": parameter} else {"Fn::If": ["MakesWarehouse", own, {"Ref": parameter}]}


def _group(description: str, **ingress: Any) -> Resource:
    return {
        "Type": "AWS::EC2::SecurityGroup",
        # Without a VPC of one's own it lies unused in the default one, and costs nothing.
        "Properties": {
            "GroupDescription": description,
            "VpcId": {"Fn::If": ["InVpc", {"Ref": "VpcId"}, {"Ref": "AWS::NoValue"}]},
        }
        | ingress,
    }


def _from_functions(port: int) -> Resource:
    source = {"Fn::GetAtt": ["FunctionSecurityGroup", "GroupId"]}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "SourceSecurityGroupId": source}


def _endpoint(service: str, kind: str, condition: str, properties: Resource) -> Resource:
    return {
        "Type": "AWS::EC2::VPCEndpoint",
        "Condition": condition,
        "Properties": {
            "VpcId": {"Ref": "VpcId"},
            "ServiceName": {"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"},
            "VpcEndpointType": kind,
        }
        | properties,
    }


def resources() -> dict[str, Resource]:
    """The warehouse, the network around it, and the role that runs the merges."""
    return {
        "FunctionSecurityGroup": _group("The functions of the pipeline"),
        "WarehouseSecurityGroup": _group("The warehouse", SecurityGroupIngress=[_from_functions(5439)]),
        "EndpointSecurityGroup": _group("Secrets Manager", SecurityGroupIngress=[_from_functions(443)]),
        "HarnessIngress": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Condition": "HasHarnessCidr",
            "Properties": {
                "GroupId": {"Fn::GetAtt": ["WarehouseSecurityGroup", "GroupId"]},
                "IpProtocol": "tcp",
                "FromPort": 5439,
                "ToPort": 5439,
                "CidrIp": {"Ref": "HarnessCidr"},
            },
        },
        "S3Endpoint": _endpoint("s3", "Gateway", "HasRouteTables", {"RouteTableIds": {"Ref": "RouteTableIds"}}),
        "SecretsEndpoint": _endpoint(
            "secretsmanager", "Interface", "InVpc",
            {"SubnetIds": {"Ref": "SubnetIds"}, "PrivateDnsEnabled": True,
             "SecurityGroupIds": [{"Ref": "EndpointSecurityGroup"}]},
        ),
        "WarehouseSecret": {
            "Type": "AWS::SecretsManager::Secret",
            "Condition": "MakesWarehouse",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "Description": "The warehouse's administrator",
                "GenerateSecretString": {
                    "SecretStringTemplate": {"Fn::Sub": '{"username": "${RedshiftUser}"}'},
                    "GenerateStringKey": "password",
                    "PasswordLength": 32,
                    "ExcludeCharacters": "\"@/\\' ",
                },
            },
        },
        "Namespace": {
            "Type": "AWS::RedshiftServerless::Namespace",
            "Condition": "MakesWarehouse",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "NamespaceName": {"Ref": "AWS::StackName"},
                "AdminUsername": {"Ref": "RedshiftUser"},
                # Not Fn::Sub: LocalStack, which evaluates this also where the condition is false, stops there when it
                # removes the stack, and leaves the functions
                "AdminUserPassword": {
                    "Fn::Join": [
                        "", ["{{resolve:secretsmanager:", {"Ref": "WarehouseSecret"}, ":SecretString:password}}"]
                    ]
                },
                "DbName": {"Ref": "RedshiftDatabase"},
                "IamRoles": [{"Fn::GetAtt": ["CopyRole", "Arn"]}],
                "DefaultIamRoleArn": {"Fn::GetAtt": ["CopyRole", "Arn"]},
            },
        },
        "Workgroup": {
            "Type": "AWS::RedshiftServerless::Workgroup",
            "Condition": "MakesWarehouse",
            "Properties": {
                "WorkgroupName": {"Ref": "AWS::StackName"},
                "NamespaceName": {"Ref": "Namespace"},
                "BaseCapacity": {"Ref": "RedshiftBaseCapacity"},
                "SubnetIds": {"Fn::If": ["InVpc", {"Ref": "SubnetIds"}, {"Ref": "AWS::NoValue"}]},
                "SecurityGroupIds": {
                    "Fn::If": ["InVpc", [{"Ref": "WarehouseSecurityGroup"}], {"Ref": "AWS::NoValue"}]
                },
                "PubliclyAccessible": {"Fn::If": ["HasHarnessCidr", True, False]},
            },
        },
        "MergeRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "scheduler.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
                        }
                    ],
                },
                "Policies": [
                    {
                        "PolicyName": "merge",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": "redshift-data:BatchExecuteStatement",
                                    "Resource": {
                                        "Fn::If": [
                                            "MakesWarehouse",
                                            {"Fn::GetAtt": ["Workgroup", "Workgroup.WorkgroupArn"]},
                                            {
                                                "Fn::Sub": "arn:${AWS::Partition}:redshift:${AWS::Region}:"
                                                "${AWS::AccountId}:cluster:${RedshiftCluster}"
                                            },
                                        ]
                                    },
                                },
                                {
                                    "Effect": "Allow",
                                    "Action": "secretsmanager:GetSecretValue",
                                    "Resource": existing_or("RedshiftSecretArn", REDSHIFT["SecretArn"]),
                                },
                            ],
                        },
                    }
                ],
            },
        },
    }  # fmt: skip
